//! From the parser's nodes to [`Expr`]. What lies deeper than a program goes is cut off.

use ruby_prism::{ArgumentsNode, BlockNode, ConstantId, Location, Node, NodeList, ParametersNode};

use crate::tree::{
    Assign, Begin, Block, Branch, Call, Case, ClassDef, Def, Expr, Kind, Loop, MultiAssign, Op, When,
};

/// Expressions inside expressions. Programs people write have some twenty.
const DEEPEST: u32 = 400;

/// A tree, and whether something was cut off.
pub(crate) struct Lowered<'a> {
    pub(crate) tree: Expr<'a>,
    pub(crate) too_deep: bool,
}

/// The tree of a file.
pub(crate) fn lower<'a>(root: &Node<'a>) -> Lowered<'a> {
    let mut lowering = Lowering {
        depth: 0,
        too_deep: false,
    };
    let tree = lowering.expr(root);
    Lowered {
        tree,
        too_deep: lowering.too_deep,
    }
}

struct Lowering {
    depth: u32,
    too_deep: bool,
}

fn text<'a>(id: &ConstantId<'a>) -> &'a str {
    std::str::from_utf8(id.as_slice()).unwrap_or("?")
}

fn offset(location: &Location<'_>) -> u32 {
    u32::try_from(location.start_offset()).unwrap_or(u32::MAX)
}

impl Lowering {
    fn expr<'a>(&mut self, node: &Node<'a>) -> Expr<'a> {
        let at = offset(&node.location());
        if self.depth >= DEEPEST {
            self.too_deep = true;
            let kind = Kind::Other(Vec::new());
            return Expr { at, kind };
        }
        self.depth += 1;
        let kind = self.kind(node);
        self.depth -= 1;
        // a call stands where its name does: chains go over several lines
        let at = match node {
            Node::CallNode { .. } => node
                .as_call_node()
                .and_then(|call| call.message_loc())
                .map_or(at, |place| offset(&place)),
            _ => at,
        };
        Expr { at, kind }
    }

    fn kind<'a>(&mut self, node: &Node<'a>) -> Kind<'a> {
        if let Some(kind) = self.value(node) {
            return kind;
        }
        if let Some(kind) = self.write(node) {
            return kind;
        }
        if let Some(kind) = self.call(node) {
            return kind;
        }
        if let Some(kind) = self.definition(node) {
            return kind;
        }
        self.control(node)
    }

    fn list<'a>(&mut self, list: &NodeList<'a>) -> Vec<Expr<'a>> {
        list.iter().map(|node| self.expr(&node)).collect()
    }

    fn boxed<'a>(&mut self, node: &Node<'a>) -> Box<Expr<'a>> {
        Box::new(self.expr(node))
    }

    fn maybe<'a>(&mut self, node: Option<Node<'a>>) -> Option<Expr<'a>> {
        node.map(|node| self.expr(&node))
    }

    fn body<'a>(&mut self, at: u32, node: Option<Node<'a>>) -> Expr<'a> {
        self.maybe(node).unwrap_or(Expr { at, kind: Kind::Nil })
    }

    fn args<'a>(&mut self, arguments: Option<ArgumentsNode<'a>>) -> Vec<Expr<'a>> {
        arguments.map(|it| self.list(&it.arguments())).unwrap_or_default()
    }

    /// Literals and variables that are read.
    fn value<'a>(&mut self, node: &Node<'a>) -> Option<Kind<'a>> {
        Some(match node {
            Node::NilNode { .. } | Node::MissingNode { .. } => Kind::Nil,
            Node::SelfNode { .. } => Kind::SelfRef,
            Node::TrueNode { .. }
            | Node::FalseNode { .. }
            | Node::RegularExpressionNode { .. }
            | Node::SourceFileNode { .. }
            | Node::SourceLineNode { .. }
            | Node::SourceEncodingNode { .. } => Kind::Literal,
            Node::IntegerNode { .. }
            | Node::FloatNode { .. }
            | Node::RationalNode { .. }
            | Node::ImaginaryNode { .. } => Kind::Number,
            Node::StringNode { .. } => Kind::Text(node.as_string_node()?.content_loc().as_slice()),
            Node::SymbolNode { .. } => {
                let place = node.as_symbol_node()?.value_loc();
                let name = place.map(|place| place.as_slice()).unwrap_or_default();
                Kind::Symbol(std::str::from_utf8(name).unwrap_or("?"))
            }
            Node::InterpolatedStringNode { .. } => {
                Kind::Interpolated(self.list(&node.as_interpolated_string_node()?.parts()))
            }
            Node::InterpolatedXStringNode { .. } => {
                Kind::Other(self.list(&node.as_interpolated_x_string_node()?.parts()))
            }
            Node::InterpolatedRegularExpressionNode { .. } => {
                Kind::Interpolated(self.list(&node.as_interpolated_regular_expression_node()?.parts()))
            }
            Node::InterpolatedSymbolNode { .. } => {
                Kind::InterpolatedSymbol(self.list(&node.as_interpolated_symbol_node()?.parts()))
            }
            Node::EmbeddedStatementsNode { .. } => {
                let embedded = node.as_embedded_statements_node()?;
                Kind::Seq(
                    embedded
                        .statements()
                        .map(|it| self.list(&it.body()))
                        .unwrap_or_default(),
                )
            }
            Node::EmbeddedVariableNode { .. } => {
                Kind::Seq(vec![self.expr(&node.as_embedded_variable_node()?.variable())])
            }
            Node::ArrayNode { .. } => Kind::Array(self.list(&node.as_array_node()?.elements())),
            Node::HashNode { .. } => self.pairs(&node.as_hash_node()?.elements()),
            Node::KeywordHashNode { .. } => self.pairs(&node.as_keyword_hash_node()?.elements()),
            Node::LocalVariableReadNode { .. } => {
                Kind::Local(text(&node.as_local_variable_read_node()?.name()))
            }
            Node::ItLocalVariableReadNode { .. } => Kind::Local("it"),
            Node::InstanceVariableReadNode { .. } => {
                Kind::Ivar(text(&node.as_instance_variable_read_node()?.name()))
            }
            Node::ClassVariableReadNode { .. } => {
                Kind::Cvar(text(&node.as_class_variable_read_node()?.name()))
            }
            Node::GlobalVariableReadNode { .. } => {
                Kind::Global(text(&node.as_global_variable_read_node()?.name()))
            }
            Node::ConstantReadNode { .. } | Node::ConstantPathNode { .. } => return self.constant(node),
            Node::ImplicitNode { .. } => return Some(self.kind(&node.as_implicit_node()?.value())),
            _ => return None,
        })
    }

    fn pairs<'a>(&mut self, elements: &NodeList<'a>) -> Kind<'a> {
        let mut list = Vec::with_capacity(elements.len() * 2);
        for element in elements.iter() {
            match element.as_assoc_node() {
                Some(pair) => {
                    list.push(self.expr(&pair.key()));
                    list.push(self.expr(&pair.value()));
                }
                None => {
                    let value = element.as_assoc_splat_node().and_then(|splat| splat.value());
                    list.extend(self.maybe(value));
                }
            }
        }
        Kind::Hash(list)
    }

    /// A constant, or what is called to get at one.
    fn constant<'a>(&mut self, node: &Node<'a>) -> Option<Kind<'a>> {
        let mut names = Vec::new();
        let mut parent = None;
        if let Some(read) = node.as_constant_read_node() {
            names.push(text(&read.name()));
        } else {
            let mut path = node.as_constant_path_node()?;
            loop {
                names.push(path.name().map_or("?", |name| text(&name)));
                match path.parent() {
                    None => {
                        names.push("");
                        break;
                    }
                    Some(next) => {
                        if let Some(read) = next.as_constant_read_node() {
                            names.push(text(&read.name()));
                            break;
                        }
                        match next.as_constant_path_node() {
                            Some(next) => path = next,
                            None => {
                                parent = Some(next);
                                break;
                            }
                        }
                    }
                }
                if names.len() > 32 {
                    break;
                }
            }
        }
        names.reverse();
        Some(match parent {
            // self.class::LIST
            Some(parent) => match self.expr(&parent) {
                Expr {
                    kind: Kind::SelfRef, ..
                } => Kind::Const(names.join("::")),
                expr if expr.call().is_some_and(|call| call.name == "class") => Kind::Const(names.join("::")),
                expr => Kind::Other(vec![expr]),
            },
            None => Kind::Const(names.join("::")),
        })
    }

    /// Writes to variables of all kinds.
    fn write<'a>(&mut self, node: &Node<'a>) -> Option<Kind<'a>> {
        macro_rules! assign {
            ($($variant:ident, $as:ident, $kind:expr, $op:expr;)*) => {
                match node {
                    $(Node::$variant { .. } => {
                        let write = node.$as()?;
                        let name = text(&write.name());
                        let target = $kind(name);
                        let op = $op(&write);
                        let value = self.expr(&write.value());
                        return Some(self.assign(node, target, op, value));
                    })*
                    _ => {}
                }
            };
        }
        let set = |name: &'a str| Kind::Const(name.to_owned());
        assign! {
            LocalVariableWriteNode, as_local_variable_write_node, Kind::Local, |_| Op::Set;
            LocalVariableOrWriteNode, as_local_variable_or_write_node, Kind::Local, |_| Op::Or;
            LocalVariableAndWriteNode, as_local_variable_and_write_node, Kind::Local, |_| Op::And;
            LocalVariableOperatorWriteNode, as_local_variable_operator_write_node, Kind::Local,
                |it: &ruby_prism::LocalVariableOperatorWriteNode<'a>| Op::Binary(text(&it.binary_operator()));
            InstanceVariableWriteNode, as_instance_variable_write_node, Kind::Ivar, |_| Op::Set;
            InstanceVariableOrWriteNode, as_instance_variable_or_write_node, Kind::Ivar, |_| Op::Or;
            InstanceVariableAndWriteNode, as_instance_variable_and_write_node, Kind::Ivar, |_| Op::And;
            InstanceVariableOperatorWriteNode, as_instance_variable_operator_write_node, Kind::Ivar,
                |it: &ruby_prism::InstanceVariableOperatorWriteNode<'a>| Op::Binary(text(&it.binary_operator()));
            ClassVariableWriteNode, as_class_variable_write_node, Kind::Cvar, |_| Op::Set;
            ClassVariableOrWriteNode, as_class_variable_or_write_node, Kind::Cvar, |_| Op::Or;
            ClassVariableAndWriteNode, as_class_variable_and_write_node, Kind::Cvar, |_| Op::And;
            ClassVariableOperatorWriteNode, as_class_variable_operator_write_node, Kind::Cvar,
                |it: &ruby_prism::ClassVariableOperatorWriteNode<'a>| Op::Binary(text(&it.binary_operator()));
            GlobalVariableWriteNode, as_global_variable_write_node, Kind::Global, |_| Op::Set;
            GlobalVariableOrWriteNode, as_global_variable_or_write_node, Kind::Global, |_| Op::Or;
            GlobalVariableAndWriteNode, as_global_variable_and_write_node, Kind::Global, |_| Op::And;
            GlobalVariableOperatorWriteNode, as_global_variable_operator_write_node, Kind::Global,
                |it: &ruby_prism::GlobalVariableOperatorWriteNode<'a>| Op::Binary(text(&it.binary_operator()));
            ConstantWriteNode, as_constant_write_node, set, |_| Op::Set;
            ConstantOrWriteNode, as_constant_or_write_node, set, |_| Op::Or;
            ConstantAndWriteNode, as_constant_and_write_node, set, |_| Op::And;
            ConstantOperatorWriteNode, as_constant_operator_write_node, set,
                |it: &ruby_prism::ConstantOperatorWriteNode<'a>| Op::Binary(text(&it.binary_operator()));
        }
        if let Some(write) = node.as_constant_path_write_node() {
            let target = self.constant(&write.target().as_node())?;
            let value = self.expr(&write.value());
            return Some(self.assign(node, target, Op::Set, value));
        }
        if let Some(write) = node.as_constant_path_or_write_node() {
            let target = self.constant(&write.target().as_node())?;
            let value = self.expr(&write.value());
            return Some(self.assign(node, target, Op::Or, value));
        }
        self.element_write(node).or_else(|| self.multiple(node))
    }

    fn assign<'a>(&mut self, node: &Node<'a>, target: Kind<'a>, op: Op<'a>, value: Expr<'a>) -> Kind<'a> {
        let at = offset(&node.location());
        Kind::Assign(Box::new(Assign {
            target: Expr { at, kind: target },
            op,
            value,
        }))
    }

    /// `a[k] ||= v`, `a.b += v`.
    fn element_write<'a>(&mut self, node: &Node<'a>) -> Option<Kind<'a>> {
        let (receiver, name, args, op, value) = if let Some(it) = node.as_index_or_write_node() {
            (it.receiver(), "[]", self.args(it.arguments()), Op::Or, it.value())
        } else if let Some(it) = node.as_index_and_write_node() {
            (
                it.receiver(),
                "[]",
                self.args(it.arguments()),
                Op::And,
                it.value(),
            )
        } else if let Some(it) = node.as_index_operator_write_node() {
            let op = Op::Binary(text(&it.binary_operator()));
            (it.receiver(), "[]", self.args(it.arguments()), op, it.value())
        } else if let Some(it) = node.as_call_or_write_node() {
            (
                it.receiver(),
                text(&it.read_name()),
                Vec::new(),
                Op::Or,
                it.value(),
            )
        } else if let Some(it) = node.as_call_and_write_node() {
            (
                it.receiver(),
                text(&it.read_name()),
                Vec::new(),
                Op::And,
                it.value(),
            )
        } else if let Some(it) = node.as_call_operator_write_node() {
            let op = Op::Binary(text(&it.binary_operator()));
            (it.receiver(), text(&it.read_name()), Vec::new(), op, it.value())
        } else {
            return None;
        };
        let target = Kind::Call(Box::new(Call {
            receiver: self.maybe(receiver),
            name,
            args,
            block: None,
            block_arg: None,
        }));
        let value = self.expr(&value);
        Some(self.assign(node, target, op, value))
    }

    fn multiple<'a>(&mut self, node: &Node<'a>) -> Option<Kind<'a>> {
        let write = node.as_multi_write_node()?;
        let mut targets = Vec::new();
        for target in write
            .lefts()
            .iter()
            .chain(write.rest())
            .chain(write.rights().iter())
        {
            targets.push(self.target(&target));
        }
        let value = self.expr(&write.value());
        Some(Kind::MultiAssign(Box::new(MultiAssign { targets, value })))
    }

    fn target<'a>(&mut self, node: &Node<'a>) -> Expr<'a> {
        let at = offset(&node.location());
        let kind = if let Some(it) = node.as_local_variable_target_node() {
            Kind::Local(text(&it.name()))
        } else if let Some(it) = node.as_instance_variable_target_node() {
            Kind::Ivar(text(&it.name()))
        } else if let Some(it) = node.as_class_variable_target_node() {
            Kind::Cvar(text(&it.name()))
        } else if let Some(it) = node.as_global_variable_target_node() {
            Kind::Global(text(&it.name()))
        } else if let Some(it) = node.as_index_target_node() {
            Kind::Call(Box::new(Call {
                receiver: Some(self.expr(&it.receiver())),
                name: "[]",
                args: self.args(it.arguments()),
                block: None,
                block_arg: None,
            }))
        } else if let Some(it) = node.as_splat_node() {
            return match it.expression() {
                Some(inner) => self.target(&inner),
                None => Expr { at, kind: Kind::Nil },
            };
        } else if let Some(it) = node.as_multi_target_node() {
            Kind::Other(it.lefts().iter().map(|inner| self.target(&inner)).collect())
        } else {
            Kind::Other(Vec::new())
        };
        Expr { at, kind }
    }

    fn call<'a>(&mut self, node: &Node<'a>) -> Option<Kind<'a>> {
        if let Some(call) = node.as_call_node() {
            // a chain is a tree as deep as it is long
            let receiver = self.maybe(call.receiver());
            let args = self.args(call.arguments());
            let mut block = None;
            let mut block_arg = None;
            if let Some(given) = call.block() {
                if let Some(given) = given.as_block_node() {
                    block = Some(self.block(&given));
                } else if let Some(given) = given.as_block_argument_node() {
                    let at = offset(&given.location());
                    block_arg = Some(self.body(at, given.expression()));
                }
            }
            return Some(Kind::Call(Box::new(Call {
                receiver,
                name: text(&call.name()),
                args,
                block,
                block_arg,
            })));
        }
        if let Some(call) = node.as_super_node() {
            let mut list = self.args(call.arguments());
            list.extend(call.block().map(|block| self.expr(&block)));
            return Some(Kind::Other(list));
        }
        if let Some(call) = node.as_forwarding_super_node() {
            let block = call.block().map(|block| self.block(&block).body);
            return Some(Kind::Other(block.into_iter().collect()));
        }
        if let Some(block) = node.as_block_node() {
            return Some(Kind::Lambda(Box::new(self.block(&block))));
        }
        let lambda = node.as_lambda_node()?;
        let at = offset(&lambda.location());
        Some(Kind::Lambda(Box::new(Block {
            params: params_of(lambda.parameters()),
            body: self.body(at, lambda.body()),
        })))
    }

    fn block<'a>(&mut self, block: &BlockNode<'a>) -> Block<'a> {
        let at = offset(&block.location());
        Block {
            params: params_of(block.parameters()),
            body: self.body(at, block.body()),
        }
    }

    fn definition<'a>(&mut self, node: &Node<'a>) -> Option<Kind<'a>> {
        let at = offset(&node.location());
        if let Some(def) = node.as_def_node() {
            let parameters = def.parameters();
            let mut defaults = Vec::new();
            if let Some(parameters) = &parameters {
                for optional in parameters.optionals().iter() {
                    defaults.extend(self.maybe(optional.as_optional_parameter_node().map(|it| it.value())));
                }
                for optional in parameters.keywords().iter() {
                    defaults.extend(
                        self.maybe(optional.as_optional_keyword_parameter_node().map(|it| it.value())),
                    );
                }
            }
            return Some(Kind::Def(Box::new(Def {
                receiver: self.maybe(def.receiver()),
                name: text(&def.name()),
                params: parameters.map(|it| names_of(&it)).unwrap_or_default(),
                defaults,
                body: self.body(at, def.body()),
            })));
        }
        let path = |lowering: &mut Self, node: &Node<'a>| match lowering.constant(node) {
            Some(Kind::Const(path)) => path,
            _ => "?".to_owned(),
        };
        if let Some(class) = node.as_class_node() {
            return Some(Kind::Class(Box::new(ClassDef {
                path: path(self, &class.constant_path()),
                superclass: self.maybe(class.superclass()),
                is_module: false,
                body: self.body(at, class.body()),
            })));
        }
        if let Some(module) = node.as_module_node() {
            return Some(Kind::Class(Box::new(ClassDef {
                path: path(self, &module.constant_path()),
                superclass: None,
                is_module: true,
                body: self.body(at, module.body()),
            })));
        }
        let class = node.as_singleton_class_node()?;
        let body = self.body(at, class.body());
        Some(match self.expr(&class.expression()).kind {
            Kind::SelfRef => Kind::SingletonClass(Box::new(body)),
            Kind::Const(path) => Kind::Class(Box::new(ClassDef {
                path,
                superclass: None,
                is_module: false,
                body: Expr {
                    at,
                    kind: Kind::SingletonClass(Box::new(body)),
                },
            })),
            _ => Kind::Other(vec![body]),
        })
    }

    fn control<'a>(&mut self, node: &Node<'a>) -> Kind<'a> {
        self.branches(node)
            .or_else(|| self.loops(node))
            .or_else(|| self.blocks(node))
            .unwrap_or_else(|| Kind::Other(self.rest(node)))
    }

    fn branches<'a>(&mut self, node: &Node<'a>) -> Option<Kind<'a>> {
        if let Some(it) = node.as_if_node() {
            return Some(Kind::Branch(Box::new(Branch {
                condition: self.expr(&it.predicate()),
                yes: self.maybe(it.statements().map(|it| it.as_node())),
                no: self.maybe(it.subsequent()),
            })));
        }
        if let Some(it) = node.as_unless_node() {
            return Some(Kind::Branch(Box::new(Branch {
                condition: self.expr(&it.predicate()),
                yes: self.maybe(it.else_clause().map(|it| it.as_node())),
                no: self.maybe(it.statements().map(|it| it.as_node())),
            })));
        }
        if let Some(it) = node.as_case_node() {
            let whens = it.conditions().iter().filter_map(|when| {
                let when = when.as_when_node()?;
                let at = offset(&when.location());
                Some(When {
                    conditions: self.list(&when.conditions()),
                    body: self.body(at, when.statements().map(|it| it.as_node())),
                })
            });
            let whens = whens.collect();
            return Some(Kind::Case(Box::new(Case {
                subject: self.maybe(it.predicate()),
                whens,
                otherwise: self.maybe(it.else_clause().map(|it| it.as_node())),
            })));
        }
        if let Some(it) = node.as_case_match_node() {
            let mut list: Vec<_> = self.maybe(it.predicate()).into_iter().collect();
            for case in it.conditions().iter() {
                let statements = case.as_in_node().and_then(|it| it.statements());
                list.extend(self.maybe(statements.map(|it| it.as_node())));
            }
            list.extend(self.maybe(it.else_clause().map(|it| it.as_node())));
            return Some(Kind::Other(list));
        }
        if let Some(it) = node.as_and_node() {
            return Some(Kind::Either(self.boxed(&it.left()), self.boxed(&it.right())));
        }
        let it = node.as_or_node()?;
        Some(Kind::Either(self.boxed(&it.left()), self.boxed(&it.right())))
    }

    fn loops<'a>(&mut self, node: &Node<'a>) -> Option<Kind<'a>> {
        let at = offset(&node.location());
        let (condition, body) = if let Some(it) = node.as_while_node() {
            (self.expr(&it.predicate()), it.statements())
        } else if let Some(it) = node.as_until_node() {
            (self.expr(&it.predicate()), it.statements())
        } else {
            let it = node.as_for_node()?;
            (self.expr(&it.collection()), it.statements())
        };
        let body = self.body(at, body.map(|it| it.as_node()));
        Some(Kind::Loop(Box::new(Loop { condition, body })))
    }

    fn blocks<'a>(&mut self, node: &Node<'a>) -> Option<Kind<'a>> {
        let at = offset(&node.location());
        if let Some(it) = node.as_program_node() {
            return Some(Kind::Seq(self.list(&it.statements().body())));
        }
        if let Some(it) = node.as_statements_node() {
            return Some(Kind::Seq(self.list(&it.body())));
        }
        if let Some(it) = node.as_parentheses_node() {
            return Some(Kind::Seq(self.maybe(it.body()).into_iter().collect()));
        }
        if let Some(it) = node.as_else_node() {
            return Some(Kind::Seq(
                self.maybe(it.statements().map(|it| it.as_node()))
                    .into_iter()
                    .collect(),
            ));
        }
        if let Some(it) = node.as_begin_node() {
            let mut rescues = Vec::new();
            let mut clause = it.rescue_clause();
            while let Some(rescue) = clause {
                rescues.extend(self.maybe(rescue.statements().map(|it| it.as_node())));
                clause = rescue.subsequent();
            }
            rescues.extend(self.maybe(it.else_clause().map(|it| it.as_node())));
            let ensure = it.ensure_clause().and_then(|it| it.statements());
            let begin = Begin {
                body: self.body(at, it.statements().map(|it| it.as_node())),
                rescues,
                ensure: self.maybe(ensure.map(|it| it.as_node())),
            };
            if begin.rescues.is_empty() && begin.ensure.is_none() {
                return Some(Kind::Seq(vec![begin.body]));
            }
            return Some(Kind::Begin(Box::new(begin)));
        }
        let it = node.as_return_node()?;
        Some(Kind::Return(self.args(it.arguments())))
    }

    /// What is below nodes that mean nothing here.
    fn rest<'a>(&mut self, node: &Node<'a>) -> Vec<Expr<'a>> {
        let mut list = Vec::new();
        if let Some(it) = node.as_rescue_modifier_node() {
            list.push(self.expr(&it.expression()));
            list.push(self.expr(&it.rescue_expression()));
        } else if let Some(it) = node.as_splat_node() {
            list.extend(self.maybe(it.expression()));
        } else if let Some(it) = node.as_yield_node() {
            list = self.args(it.arguments());
        } else if let Some(it) = node.as_next_node() {
            list = self.args(it.arguments());
        } else if let Some(it) = node.as_break_node() {
            list = self.args(it.arguments());
        } else if let Some(it) = node.as_range_node() {
            list.extend(self.maybe(it.left()));
            list.extend(self.maybe(it.right()));
        } else if let Some(it) = node.as_defined_node() {
            list.push(self.expr(&it.value()));
        } else if let Some(it) = node.as_match_write_node() {
            list.push(self.expr(&it.call().as_node()));
        } else if let Some(it) = node.as_match_predicate_node() {
            list.push(self.expr(&it.value()));
        } else if let Some(it) = node.as_match_required_node() {
            list.push(self.expr(&it.value()));
        } else if let Some(it) = node.as_shareable_constant_node() {
            list.push(self.expr(&it.write()));
        } else if let Some(it) = node.as_post_execution_node() {
            list.extend(self.maybe(it.statements().map(|it| it.as_node())));
        } else if let Some(it) = node.as_pre_execution_node() {
            list.extend(self.maybe(it.statements().map(|it| it.as_node())));
        }
        list
    }
}

/// Of a block or lambda.
fn params_of(parameters: Option<Node<'_>>) -> Vec<&str> {
    let Some(parameters) = parameters else {
        return Vec::new();
    };
    if let Some(block) = parameters.as_block_parameters_node() {
        return block.parameters().map(|it| names_of(&it)).unwrap_or_default();
    }
    if parameters.as_it_parameters_node().is_some() {
        return vec!["it"];
    }
    if parameters.as_numbered_parameters_node().is_some() {
        return vec!["_1", "_2"];
    }
    Vec::new()
}

fn names_of<'a>(parameters: &ParametersNode<'a>) -> Vec<&'a str> {
    let mut names = Vec::new();
    let lists = [
        parameters.requireds(),
        parameters.optionals(),
        parameters.posts(),
        parameters.keywords(),
    ];
    for node in lists
        .iter()
        .flat_map(|list| list.iter())
        .chain(parameters.rest())
        .chain(parameters.keyword_rest())
    {
        add_names(&node, &mut names, 0);
    }
    names
}

fn add_names<'a>(node: &Node<'a>, names: &mut Vec<&'a str>, depth: u32) {
    if depth > 8 {
        return;
    }
    if let Some(it) = node.as_required_parameter_node() {
        names.push(text(&it.name()));
    } else if let Some(it) = node.as_optional_parameter_node() {
        names.push(text(&it.name()));
    } else if let Some(it) = node.as_required_keyword_parameter_node() {
        names.push(text(&it.name()));
    } else if let Some(it) = node.as_optional_keyword_parameter_node() {
        names.push(text(&it.name()));
    } else if let Some(it) = node.as_rest_parameter_node() {
        names.extend(it.name().map(|name| text(&name)));
    } else if let Some(it) = node.as_keyword_rest_parameter_node() {
        names.extend(it.name().map(|name| text(&name)));
    } else if let Some(it) = node.as_multi_target_node() {
        for inner in it.lefts().iter() {
            add_names(&inner, names, depth + 1);
        }
    }
}
