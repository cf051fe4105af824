//! Classes and modules that every Ruby process has, and those of the libraries written in C that come with Ruby.
//! Applications and gems add methods to them, more than they have in Ruby code themselves.

/// In the order of the alphabet.
const NAMES: &str = "ARGF Addrinfo ArgumentError Array BasicObject BasicSocket Benchmark BigDecimal Binding Class ClosedQueueError \
    Comparable Complex ConditionVariable Coverage Data Date DateTime DidYouMean Digest Dir ENV EOFError ERB \
    Encoding EncodingError Enumerable Enumerator Errno ErrorHighlight Etc Exception FalseClass Fcntl Fiber \
    FiberError Fiddle File FileTest FileUtils Float FloatDomainError FrozenError GC Gem Hash IO IOError IPAddr \
    IPSocket IndexError Integer Interrupt Kernel KeyError LoadError LocalJumpError Logger Marshal MatchData Math \
    Method Module Monitor Mutex NKF NameError NilClass NoMatchingPatternError NoMatchingPatternKeyError \
    NoMemoryError NoMethodError NotImplementedError Numeric Object ObjectSpace OpenSSL OpenStruct Pathname Proc \
    Process Psych Queue Ractor Random Range RangeError Rational RbConfig Readline Refinement Regexp RegexpError \
    Ripper RubyVM RuntimeError ScriptError SecureRandom SecurityError Set Signal SignalException SizedQueue Socket \
    StandardError StopIteration String StringIO StringScanner Struct Symbol SyntaxError SystemCallError SystemExit \
    SystemStackError TCPServer TCPSocket Tempfile Thread ThreadError ThreadGroup Time TracePoint TrueClass \
    TypeError UDPSocket UNIXServer UNIXSocket URI UnboundMethod UncaughtThrowError Warning WeakRef \
    ZeroDivisionError Zlib";

/// Whether a class with this name is Ruby's.
pub(super) fn is_core(name: &str) -> bool {
    NAMES.split(' ').any(|core| core == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted_and_found() {
        let names: Vec<&str> = NAMES.split(' ').collect();
        assert!(names.is_sorted());
        assert!(names.iter().all(|name| is_core(name)));
        assert!(!is_core("Rack"));
    }
}
