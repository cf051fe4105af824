//! Fixed vocabularies: enums whose values have names in dumps and results.

/// An enum with `ALL`, `name()` and `named()`. Each value is said once, with its number and its name.
macro_rules! vocabulary {
    (
        $(#[$attribute:meta])*
        pub enum $enum:ident {
            $($(#[$of_value:meta])* $value:ident = $number:literal => $name:literal,)*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $enum {
            $($(#[$of_value])* $value = $number,)*
        }

        impl $enum {
            /// All of them.
            pub const ALL: [Self; [$($number),*].len()] = [$(Self::$value),*];

            /// The name, as in dumps and results.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)*
                }
            }

            /// The one with this name.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$value),)*
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use vocabulary;
