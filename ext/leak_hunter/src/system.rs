//! What the operating system knows: `LeakHunter::Native.cores` and `.disk_space`.
#![allow(unsafe_code)]

use magnus::{Error, Object, RModule, function};

pub(crate) fn init(native: RModule) -> Result<(), Error> {
    #[cfg(unix)]
    native.define_singleton_method("disk_space", function!(disk::disk_space, 1))?;
    native.define_singleton_method("cores", function!(cores, 0))
}

/// Cores that this process may use, within the limits of its container.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
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
