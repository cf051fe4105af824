//! What the operating system knows: `LeakHunter::Native.cores`, `.disk_space` and `.resident_set`.
#![allow(unsafe_code)]

use magnus::{Error, Object, RArray, RModule, function};

pub(crate) fn init(native: RModule) -> Result<(), Error> {
    #[cfg(unix)]
    native.define_singleton_method("disk_space", function!(disk::disk_space, 1))?;
    native.define_singleton_method("resident_set", function!(store_resident_set, 1))?;
    native.define_singleton_method("cores", function!(cores, 0))
}

/// Cores that this process may use, within the limits of its container.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The processor time of the calling thread, which other threads and processes take nothing of.
#[cfg(unix)]
pub(crate) fn processor_time() -> std::time::Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes the time; of this clock it always can.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    std::time::Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// How much of this process is in memory, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct ResidentSet {
    /// All of it.
    pub(crate) rss: u64,
    /// What belongs to files, or is shared memory.
    pub(crate) shared: u64,
}

/// Stores both numbers as the first two of an Array, so that no object is made. `false` where they are not known.
fn store_resident_set(numbers: RArray) -> Result<bool, Error> {
    let Some(set) = resident_set() else {
        return Ok(false);
    };
    numbers.store(0, set.rss)?;
    numbers.store(1, set.shared)?;
    Ok(true)
}

/// Takes less than a tenth of a millisecond, so the GVL is kept: after its release all busy threads have a turn.
#[cfg(target_os = "linux")]
pub(crate) fn resident_set() -> Option<ResidentSet> {
    use std::io::Read;

    let mut text = [0; 256];
    let mut file = std::fs::File::open("/proc/self/statm").ok()?;
    let length = file.read(&mut text).ok()?;
    let text = std::str::from_utf8(text.get(..length)?).ok()?;
    // SAFETY: asks for a constant.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
    // the first one is address space
    let mut pages = text.split_ascii_whitespace().skip(1).map(str::parse::<u64>);
    let mut bytes = || Some(pages.next()?.ok()?.saturating_mul(page));
    Some(ResidentSet {
        rss: bytes()?,
        shared: bytes()?,
    })
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn resident_set() -> Option<ResidentSet> {
    None
}

#[cfg(unix)]
mod disk {
    use std::ffi::CString;
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;

    use magnus::value::ReprValue;
    use magnus::{Error, Exception, ExceptionClass, Module, RHash, RString, Ruby};

    use crate::convert::{Hash, path_of};
    use crate::gvl;

    struct Space {
        free: u64,
        total: u64,
        block_size: u64,
    }

    /// `free_bytes` are those that this user may still write.
    pub(super) fn disk_space(ruby: &Ruby, path: RString) -> Result<RHash, Error> {
        let bytes = path_of(path).as_os_str().as_bytes().to_vec();
        // A disk on the network may take its time.
        let space = gvl::wait_for(ruby, move || space(bytes), None, || {}, || Ok(()))?;
        let space = space.map_err(|error| system_call_error(ruby, path, &error))?;
        let hash = Hash::new(ruby)
            .set("free_bytes", space.free)?
            .set("total_bytes", space.total)?
            .set("block_size", space.block_size)?;
        Ok(hash.hash)
    }

    // statvfs's numbers have other types on other systems.
    #[allow(clippy::unnecessary_cast)]
    fn space(path: Vec<u8>) -> io::Result<Space> {
        let path = CString::new(path)?;
        let mut found = MaybeUninit::<libc::statvfs>::uninit();
        loop {
            // SAFETY: a C string, and room for the answer.
            if unsafe { libc::statvfs(path.as_ptr(), found.as_mut_ptr()) } == 0 {
                break;
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        // SAFETY: filled by the call, which succeeded.
        let found = unsafe { found.assume_init() };
        let unit = match found.f_frsize {
            0 => found.f_bsize as u64,
            size => size as u64,
        };
        Ok(Space {
            free: (found.f_bavail as u64).saturating_mul(unit),
            total: (found.f_blocks as u64).saturating_mul(unit),
            block_size: found.f_bsize as u64,
        })
    }

    /// Ruby's own exception for the error, an `Errno::…` with the path in its message.
    fn system_call_error(ruby: &Ruby, path: RString, error: &io::Error) -> Error {
        let number = error.raw_os_error().unwrap_or(libc::EINVAL);
        let made = ruby
            .class_object()
            .const_get::<_, ExceptionClass>("SystemCallError")
            .and_then(|class| class.as_value().funcall::<_, _, Exception>("new", (path, number)));
        made.map_or_else(|error| error, Error::from)
    }
}
