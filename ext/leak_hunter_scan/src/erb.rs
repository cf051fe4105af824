//! The Ruby in an ERB template, at its own place: everything else becomes spaces, so that lines and columns stay.

/// The Ruby code of a template, as long as the template.
pub(crate) fn ruby_of(template: &[u8]) -> Vec<u8> {
    let mut code: Vec<u8> = template
        .iter()
        .map(|byte| {
            if matches!(byte, b'\n' | b'\r') {
                *byte
            } else {
                b' '
            }
        })
        .collect();
    let mut rest = 0;
    while let Some(open) = find(template, rest, b"<%") {
        let Some(close) = find(template, open + 2, b"%>") else {
            break;
        };
        rest = close + 2;
        let mut begin = open + 2;
        match template.get(begin) {
            // a comment, or a percent sign
            Some(b'#' | b'%') => continue,
            Some(b'=') => {
                begin += 1;
                if template.get(begin) == Some(&b'=') {
                    begin += 1;
                }
            }
            Some(b'-') => begin += 1,
            _ => {}
        }
        let end = if close > begin && template.get(close - 1) == Some(&b'-') {
            close - 1
        } else {
            close
        };
        if let (Some(to), Some(from)) = (code.get_mut(begin..end), template.get(begin..end)) {
            to.copy_from_slice(from);
        }
        // ends the statement
        if let Some(byte) = code.get_mut(close) {
            *byte = b';';
        }
    }
    code
}

fn find(text: &[u8], from: usize, what: &[u8; 2]) -> Option<usize> {
    memchr::memmem::find(text.get(from..)?, what).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::ruby_of;

    fn text(template: &str) -> String {
        String::from_utf8_lossy(&ruby_of(template.as_bytes())).into_owned()
    }

    #[test]
    fn code_stays_at_its_place() {
        let template = "<p><%= a %></p>\n<%- b -%><%== c %>";
        let code = text(template);
        assert_eq!(code.len(), template.len());
        for name in ["a", "b", "c", "\n"] {
            assert_eq!(
                code.find(name),
                template.find(&format!("{name} ")).or(template.find(name))
            );
        }
        assert_eq!(
            code.split_whitespace().collect::<Vec<_>>(),
            ["a", ";", "b", ";", "c", ";"]
        );
    }

    #[test]
    fn comments_and_literal_percent_signs_are_no_code() {
        assert_eq!(text("<%# a %>\n<%% b %>").trim(), "");
    }

    #[test]
    fn what_is_not_closed_is_no_code() {
        assert_eq!(text("x <% y").trim(), "");
    }
}
