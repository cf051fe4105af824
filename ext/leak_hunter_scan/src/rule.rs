//! The rules, how bad a finding is, and where its code runs.

/// A family of leaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A collection that lives as long as the process gets longer with every call.
    UnboundedCollection,
    /// A memo whose keys come from outside.
    UnboundedMemo,
    /// A Hash whose default block stores what it is asked for.
    GrowingHashDefault,
    /// Names made at run time for what Ruby never forgets.
    DynamicSymbol,
    /// Classes and methods made at each call.
    ClassPerCall,
    /// Subscribers, hooks and finalizers added at each call.
    SubscriptionPerCall,
    /// Threads that are kept or do not end, and what grows in a thread's variables.
    ThreadRetention,
    /// Texts, queues and test doubles that only get longer.
    LongLivedBuffer,
    /// What a middleware, of which there is one, keeps of requests.
    MiddlewareState,
    /// Files, connections and clients made at each call and not closed.
    ResourcePerCall,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::UnboundedCollection,
        Self::UnboundedMemo,
        Self::GrowingHashDefault,
        Self::DynamicSymbol,
        Self::ClassPerCall,
        Self::SubscriptionPerCall,
        Self::ThreadRetention,
        Self::LongLivedBuffer,
        Self::MiddlewareState,
        Self::ResourcePerCall,
    ];

    /// Its id, as in reports and comments.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnboundedCollection => "LeakHunter/UnboundedCollection",
            Self::UnboundedMemo => "LeakHunter/UnboundedMemo",
            Self::GrowingHashDefault => "LeakHunter/GrowingHashDefault",
            Self::DynamicSymbol => "LeakHunter/DynamicSymbol",
            Self::ClassPerCall => "LeakHunter/ClassPerCall",
            Self::SubscriptionPerCall => "LeakHunter/SubscriptionPerCall",
            Self::ThreadRetention => "LeakHunter/ThreadRetention",
            Self::LongLivedBuffer => "LeakHunter/LongLivedBuffer",
            Self::MiddlewareState => "LeakHunter/MiddlewareState",
            Self::ResourcePerCall => "LeakHunter/ResourcePerCall",
        }
    }
}

/// How bad it is, by where the code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Seldom, or not known to run.
    Low,
    /// In jobs, or in methods whose callers are not known.
    Medium,
    /// In requests.
    High,
}

impl Severity {
    /// As in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Where code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// While the program is loaded, and by what is called from there.
    Boot,
    /// In a method whose callers are not known.
    Method,
    /// In a background job.
    Job,
    /// In a request.
    Request,
}

impl Reach {
    /// As in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::Method => "method",
            Self::Job => "job",
            Self::Request => "request",
        }
    }

    /// How bad a leak there is.
    pub fn severity(self) -> Severity {
        match self {
            Self::Boot => Severity::Low,
            Self::Method | Self::Job => Severity::Medium,
            Self::Request => Severity::High,
        }
    }
}
