//! What a process runs: shared with those that it forked, as long as they execute nothing else.

use std::sync::Arc;

use crate::host::proc_fs;
use crate::wire;

/// Bytes of all images together. One that comes on top is kept without its arguments and its folder.
const MAX_BYTES: usize = 12 << 20;
/// What an image costs beyond its text: the struct, and the heads of its allocations.
const BYTES_OF_ONE: usize = 320;
const BYTES_OF_ARGUMENT: usize = 40;

#[derive(Clone, Debug, Default)]
pub struct Image {
    pub comm: String,
    pub exe: String,
    pub argv: Vec<String>,
    pub argv_truncated: bool,
    pub has_tty: bool,
    pub cwd: String,
    pub cgroup: String,
    pub container_id: String,
    pub ssh_forwards: Vec<wire::SshForward>,
}

impl Image {
    /// Where the process runs, as far as /proc still shows it.
    pub fn read_surroundings(&mut self, pid: u32) {
        self.cwd = proc_fs::cwd(pid).unwrap_or_default();
        let cgroup = proc_fs::cgroup(pid);
        self.cgroup = cgroup.path;
        self.container_id = cgroup.container_id;
    }

    fn bytes(&self) -> usize {
        let argv: usize = self.argv.iter().map(|argument| argument.len() + BYTES_OF_ARGUMENT).sum();
        let forwards: usize = self.ssh_forwards.iter().map(|f| f.path.len() + f.directive.len() + 2 * BYTES_OF_ARGUMENT).sum();
        let texts = [&self.comm, &self.exe, &self.cwd, &self.cgroup, &self.container_id];
        BYTES_OF_ONE + argv + forwards + texts.iter().map(|text| text.len()).sum::<usize>()
    }
}

/// All images, counted in bytes.
#[derive(Debug, Default)]
pub struct Images {
    bytes: usize,
    nothing: Arc<Image>,
    /// Images that were kept without arguments because there were too many bytes.
    pub cut: u64,
}

impl Images {
    /// Of a process of which nothing is known.
    pub fn nothing(&self) -> Arc<Image> {
        Arc::clone(&self.nothing)
    }

    pub fn is_full(&self) -> bool {
        self.bytes >= MAX_BYTES
    }

    /// Long command lines take no more than half of the room: others have arguments too.
    pub fn has_room_for(&self, argv: &[String]) -> bool {
        self.bytes + argv.iter().map(|word| word.len() + BYTES_OF_ARGUMENT).sum::<usize>() < MAX_BYTES / 2
    }

    /// Puts `image` in the place of what the process ran before.
    pub fn replace(&mut self, place: &mut Arc<Image>, mut image: Image) {
        if self.is_full() {
            image.argv_truncated |= !image.argv.is_empty();
            image.argv = Vec::new();
            image.cwd = String::new();
            self.cut += 1;
        }
        self.bytes += image.bytes();
        self.release(std::mem::replace(place, Arc::new(image)));
    }

    /// Puts what another process runs in the place of what the process ran before.
    pub fn share(&mut self, place: &mut Arc<Image>, image: Arc<Image>) {
        self.release(std::mem::replace(place, image));
    }

    /// Uncounts an image that nobody runs any more.
    pub fn release(&mut self, image: Arc<Image>) {
        if let Some(image) = Arc::into_inner(image) {
            self.bytes = self.bytes.saturating_sub(image.bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(bytes: usize) -> Image {
        Image { argv: vec!["a".repeat(bytes)], ..Image::default() }
    }

    #[test]
    fn counts_an_image_once_however_many_run_it() {
        let mut images = Images::default();
        let (mut parent, mut child) = (images.nothing(), images.nothing());
        images.replace(&mut parent, image(1000));
        let one = images.bytes;
        images.share(&mut child, Arc::clone(&parent));
        assert_eq!(images.bytes, one);
        images.release(parent);
        assert_eq!(images.bytes, one);
        images.release(child);
        assert_eq!(images.bytes, 0);
    }

    #[test]
    fn keeps_an_image_without_its_arguments_beyond_the_bound() {
        let mut images = Images::default();
        let (mut first, mut second) = (images.nothing(), images.nothing());
        images.replace(&mut first, image(MAX_BYTES));
        images.replace(&mut second, Image { exe: "/bin/sh".into(), ..image(1000) });
        assert_eq!((second.exe.as_str(), second.argv.len(), second.argv_truncated, images.cut), ("/bin/sh", 0, true, 1));
        images.release(first);
        images.replace(&mut second, image(1000));
        assert_eq!((second.argv.len(), images.cut), (1, 1));
    }
}
