//! Reads files as a process sees them: below its own root, whatever links it has put there. A link that points out of the
//! root stays inside it, and a pipe or a device in the place of a file blocks nobody.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// openat2(2), Linux 5.6.
const RESOLVE_NO_MAGICLINKS: u64 = 0x02;
const RESOLVE_IN_ROOT: u64 = 0x10;

#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

pub struct Root(File);

impl Root {
    /// `path` is /proc/PID/root.
    pub fn open(path: &Path) -> io::Result<Self> {
        let folder = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY).open(path)?;
        Ok(Self(folder))
    }

    /// The first `limit` bytes of a regular file.
    pub fn read(&self, path: &Path, limit: u64) -> io::Result<String> {
        let file = self.open_below(path, 0)?;
        if !file.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Names in a folder, sorted, those that are UTF-8.
    pub fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let folder = self.open_below(path, libc::O_DIRECTORY)?;
        let entries = std::fs::read_dir(PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())))?;
        let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn open_below(&self, path: &Path, flags: i32) -> io::Result<File> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC | flags;
        let how = OpenHow { flags: flags.unsigned_abs().into(), mode: 0, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
        // SAFETY: the path ends with NUL, `how` is as large as is said, and both outlive the call.
        let fd = unsafe { libc::syscall(libc::SYS_openat2, self.0.as_raw_fd(), path.as_ptr(), &how, size_of::<OpenHow>()) };
        let fd = i32::try_from(fd).map_err(io::Error::other)?;
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made this descriptor for us.
        Ok(unsafe { File::from_raw_fd(fd) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("backflow-root-{}-{name}", std::process::id()));
            fs::create_dir_all(path.join("etc")).unwrap();
            Self(path)
        }

        fn root(&self) -> Root {
            Root::open(&self.0).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn reads_no_more_than_the_limit() {
        let folder = Folder::new("limit");
        fs::write(folder.0.join("etc/f"), "abcdef").unwrap();
        assert_eq!(folder.root().read(Path::new("/etc/f"), 4).unwrap(), "abcd");
    }

    #[test]
    fn keeps_links_inside_the_root() {
        let folder = Folder::new("links");
        fs::write(folder.0.join("etc/hostname"), "inside").unwrap();
        symlink("/etc/hostname", folder.0.join("absolute")).unwrap();
        symlink("../../../../../../etc/hostname", folder.0.join("upward")).unwrap();
        for link in ["/absolute", "/upward"] {
            assert_eq!(folder.root().read(Path::new(link), 100).unwrap(), "inside", "{link}");
        }
    }

    #[test]
    fn is_not_held_up_by_a_pipe() {
        let folder = Folder::new("pipe");
        let path = CString::new(folder.0.join("fifo").as_os_str().as_bytes()).unwrap();
        // SAFETY: the path ends with NUL.
        assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
        assert!(folder.root().read(Path::new("/fifo"), 100).is_err());
    }

    #[test]
    fn lists_names_in_order() {
        let folder = Folder::new("names");
        for name in ["b", "a"] {
            fs::write(folder.0.join("etc").join(name), "").unwrap();
        }
        assert_eq!(folder.root().names(Path::new("/etc")).unwrap(), ["a", "b"]);
    }
}
