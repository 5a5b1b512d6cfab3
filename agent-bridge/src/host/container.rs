//! Container id from the text of /proc/PID/cgroup: cgroup v1, v2 and both at once.

/// What a process's control groups say about where it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cgroup {
    /// The longest path among the hierarchies.
    pub path: String,
    /// 64 hex digits, or 32 from some runtimes; empty outside containers.
    pub container_id: String,
}

/// Reads the lines `hierarchy:controllers:path`. On hybrid hosts the real path stands on a v1 line and v2 says "/".
pub fn parse(text: &str) -> Cgroup {
    let path = text.lines().filter_map(|line| line.splitn(3, ':').nth(2)).max_by_key(|path| path.len()).unwrap_or("");
    Cgroup { path: path.to_owned(), container_id: container_id(path).unwrap_or_default() }
}

/// The last part that holds an id: `docker-<id>.scope`, `cri-containerd-<id>.scope`, `crio-<id>`, `/docker/<id>`.
fn container_id(path: &str) -> Option<String> {
    path.rsplit('/').find_map(|part| {
        let bare = part.strip_suffix(".scope").unwrap_or(part);
        let id = bare.rsplit(['-', ':']).next().unwrap_or(bare);
        let hex = id.bytes().all(|b| b.is_ascii_hexdigit());
        (hex && (id.len() == 64 || id.len() == 32)).then(|| id.to_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4f5e0c1d2b3a4958677889900a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

    fn id_of(path: &str) -> String {
        parse(&format!("0::{path}\n")).container_id
    }

    #[test]
    fn finds_the_id_that_each_runtime_writes() {
        for path in [
            format!("/docker/{ID}"),
            format!("/system.slice/docker-{ID}.scope"),
            format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-{ID}.scope"),
            format!("/kubepods/besteffort/pod12/{ID}"),
            format!("/kubepods.slice/kubepods-pod1.slice/crio-{ID}.scope"),
            format!("/machine.slice/libpod-{ID}.scope"),
            format!("/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:{ID}"),
        ] {
            assert_eq!(id_of(&path), ID, "{path}");
        }
    }

    #[test]
    fn finds_none_outside_containers() {
        for path in ["/", "/user.slice/user-1000.slice/session-3.scope", "/system.slice/sshd.service"] {
            assert_eq!(id_of(path), "", "{path}");
        }
    }

    #[test]
    fn prefers_the_hierarchy_that_knows_the_path() {
        let text = format!("9:name=systemd:/\n4:memory:/docker/{ID}\n0::/\n");
        assert_eq!(parse(&text).container_id, ID);
    }

    #[test]
    fn takes_broken_lines() {
        assert_eq!(parse("garbage\n:::\n"), Cgroup { path: ":".into(), container_id: String::new() });
    }
}
