//! A program's text as a tree of a few kinds of expressions: what the scan looks at, and nothing of the parser's own.

/// A question about everything below an expression is asked of so many: such questions may be nested.
const LOOKED_AT: u32 = 2_000;

/// An expression and where it begins.
#[derive(Debug)]
pub(crate) struct Expr<'a> {
    /// Offset in bytes.
    pub(crate) at: u32,
    pub(crate) kind: Kind<'a>,
}

#[derive(Debug)]
pub(crate) enum Kind<'a> {
    Nil,
    SelfRef,
    /// Numbers, true and false, regular expressions without interpolation.
    Literal,
    Number,
    Text(&'a [u8]),
    Symbol(&'a str),
    Interpolated(Vec<Expr<'a>>),
    InterpolatedSymbol(Vec<Expr<'a>>),
    Array(Vec<Expr<'a>>),
    /// Keys and values in turn; a splat stands alone.
    Hash(Vec<Expr<'a>>),
    Local(&'a str),
    Ivar(&'a str),
    Cvar(&'a str),
    Global(&'a str),
    /// As it is written, `Foo::Bar`.
    Const(String),
    Assign(Box<Assign<'a>>),
    MultiAssign(Box<MultiAssign<'a>>),
    Call(Box<Call<'a>>),
    Lambda(Box<Block<'a>>),
    Def(Box<Def<'a>>),
    Class(Box<ClassDef<'a>>),
    SingletonClass(Box<Expr<'a>>),
    Branch(Box<Branch<'a>>),
    Loop(Box<Loop<'a>>),
    Case(Box<Case<'a>>),
    Seq(Vec<Expr<'a>>),
    Begin(Box<Begin<'a>>),
    Return(Vec<Expr<'a>>),
    /// `or`, `and`, `||`, `&&`.
    Either(Box<Expr<'a>>, Box<Expr<'a>>),
    Other(Vec<Expr<'a>>),
}

/// How a variable is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op<'a> {
    Set,
    /// `||=`
    Or,
    /// `&&=`
    And,
    /// `+=`
    Binary(&'a str),
}

#[derive(Debug)]
pub(crate) struct Assign<'a> {
    pub(crate) target: Expr<'a>,
    pub(crate) op: Op<'a>,
    pub(crate) value: Expr<'a>,
}

#[derive(Debug)]
pub(crate) struct MultiAssign<'a> {
    pub(crate) targets: Vec<Expr<'a>>,
    pub(crate) value: Expr<'a>,
}

#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) receiver: Option<Expr<'a>>,
    pub(crate) name: &'a str,
    pub(crate) args: Vec<Expr<'a>>,
    pub(crate) block: Option<Block<'a>>,
    /// `&block`, `&:name`.
    pub(crate) block_arg: Option<Expr<'a>>,
}

#[derive(Debug)]
pub(crate) struct Block<'a> {
    pub(crate) params: Vec<&'a str>,
    pub(crate) body: Expr<'a>,
}

#[derive(Debug)]
pub(crate) struct Def<'a> {
    /// Of `def self.x`, `def Foo.x`.
    pub(crate) receiver: Option<Expr<'a>>,
    pub(crate) name: &'a str,
    pub(crate) params: Vec<&'a str>,
    /// Of parameters.
    pub(crate) defaults: Vec<Expr<'a>>,
    pub(crate) body: Expr<'a>,
}

#[derive(Debug)]
pub(crate) struct ClassDef<'a> {
    pub(crate) path: String,
    pub(crate) superclass: Option<Expr<'a>>,
    pub(crate) is_module: bool,
    pub(crate) body: Expr<'a>,
}

#[derive(Debug)]
pub(crate) struct Branch<'a> {
    pub(crate) condition: Expr<'a>,
    pub(crate) yes: Option<Expr<'a>>,
    pub(crate) no: Option<Expr<'a>>,
}

#[derive(Debug)]
pub(crate) struct Loop<'a> {
    pub(crate) condition: Expr<'a>,
    pub(crate) body: Expr<'a>,
}

#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub(crate) subject: Option<Expr<'a>>,
    pub(crate) whens: Vec<When<'a>>,
    pub(crate) otherwise: Option<Expr<'a>>,
}

#[derive(Debug)]
pub(crate) struct When<'a> {
    pub(crate) conditions: Vec<Expr<'a>>,
    pub(crate) body: Expr<'a>,
}

#[derive(Debug)]
pub(crate) struct Begin<'a> {
    pub(crate) body: Expr<'a>,
    pub(crate) rescues: Vec<Expr<'a>>,
    pub(crate) ensure: Option<Expr<'a>>,
}

impl<'a> Expr<'a> {
    pub(crate) fn call(&self) -> Option<&Call<'a>> {
        match &self.kind {
            Kind::Call(call) => Some(call),
            _ => None,
        }
    }

    /// A constant as it is written.
    pub(crate) fn constant(&self) -> Option<&str> {
        match &self.kind {
            Kind::Const(path) => Some(path),
            _ => None,
        }
    }

    pub(crate) fn local(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Local(name) => Some(name),
            _ => None,
        }
    }

    /// The text of a Symbol or String.
    pub(crate) fn name(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Symbol(name) => Some(name),
            Kind::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// What a sequence in parentheses ends with.
    pub(crate) fn last(&self) -> &Expr<'a> {
        let mut expr = self;
        loop {
            match &expr.kind {
                Kind::Seq(list) => match list.last() {
                    Some(last) => expr = last,
                    None => return expr,
                },
                _ => return expr,
            }
        }
    }

    /// Each expression directly below.
    pub(crate) fn children<'t>(&'t self, each: &mut dyn FnMut(&'t Expr<'a>)) {
        match &self.kind {
            Kind::Nil
            | Kind::SelfRef
            | Kind::Literal
            | Kind::Number
            | Kind::Text(_)
            | Kind::Symbol(_)
            | Kind::Local(_)
            | Kind::Ivar(_)
            | Kind::Cvar(_)
            | Kind::Global(_)
            | Kind::Const(_) => {}
            Kind::Interpolated(list)
            | Kind::InterpolatedSymbol(list)
            | Kind::Array(list)
            | Kind::Hash(list)
            | Kind::Seq(list)
            | Kind::Return(list)
            | Kind::Other(list) => list.iter().for_each(each),
            Kind::Assign(assign) => {
                each(&assign.target);
                each(&assign.value);
            }
            Kind::MultiAssign(assign) => {
                assign.targets.iter().for_each(&mut *each);
                each(&assign.value);
            }
            Kind::Call(call) => {
                call.receiver.iter().for_each(&mut *each);
                call.args.iter().for_each(&mut *each);
                call.block_arg.iter().for_each(&mut *each);
                if let Some(block) = &call.block {
                    each(&block.body);
                }
            }
            Kind::Lambda(block) => each(&block.body),
            Kind::Def(def) => {
                def.defaults.iter().for_each(&mut *each);
                each(&def.body);
            }
            Kind::Class(class) => {
                class.superclass.iter().for_each(&mut *each);
                each(&class.body);
            }
            Kind::SingletonClass(body) => each(body),
            Kind::Branch(branch) => {
                each(&branch.condition);
                branch.yes.iter().for_each(&mut *each);
                branch.no.iter().for_each(&mut *each);
            }
            Kind::Loop(it) => {
                each(&it.condition);
                each(&it.body);
            }
            Kind::Case(case) => {
                case.subject.iter().for_each(&mut *each);
                for when in &case.whens {
                    when.conditions.iter().for_each(&mut *each);
                    each(&when.body);
                }
                case.otherwise.iter().for_each(&mut *each);
            }
            Kind::Begin(begin) => {
                each(&begin.body);
                begin.rescues.iter().for_each(&mut *each);
                begin.ensure.iter().for_each(&mut *each);
            }
            Kind::Either(left, right) => {
                each(left);
                each(right);
            }
        }
    }

    /// This one and all below that belong to the same method: not what is in methods and classes in it.
    pub(crate) fn each_here<'t>(&'t self, visit: &mut dyn FnMut(&'t Expr<'a>)) {
        visit(self);
        if !matches!(self.kind, Kind::Def(_) | Kind::Class(_) | Kind::SingletonClass(_)) {
            self.children(&mut |child| child.each_here(visit));
        }
    }

    /// Whether one of the first few thousand is such; None if there are more, and none of the first.
    pub(crate) fn any(&self, test: &mut dyn FnMut(&Expr<'a>) -> bool) -> Option<bool> {
        let mut left = LOOKED_AT;
        self.search(&mut left, test)
    }

    fn search(&self, left: &mut u32, test: &mut dyn FnMut(&Expr<'a>) -> bool) -> Option<bool> {
        *left = left.checked_sub(1)?;
        if test(self) {
            return Some(true);
        }
        let mut found = Some(false);
        self.children(&mut |child| {
            if found == Some(false) {
                found = child.search(left, test);
            }
        });
        found
    }
}
