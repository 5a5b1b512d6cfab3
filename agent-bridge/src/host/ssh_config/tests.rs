use super::*;

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// A folder that stands for a process's root.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("backflow-ssh-{}-{name}", std::process::id()));
        for (file, text) in files {
            let file = path.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        Self(path)
    }

    fn forwards(&self, line: &str) -> Vec<(String, String)> {
        let line = command_line("/usr/bin/ssh", &words(line)).unwrap();
        let found = forwards(&line, &Root::open(&self.0).unwrap(), 1000, "/srv");
        found.into_iter().map(|f| (f.path, f.directive)).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn found_in(text: &str, host: &str) -> Vec<String> {
    let folder = Folder::new(&format!("{:?}", std::thread::current().id()), &[("c", text)]);
    folder.forwards(&format!("ssh -F /c {host}")).into_iter().map(|(_, directive)| directive).collect()
}

#[test]
fn reads_the_file_and_the_host_of_a_command_line() {
    for (line, file, host) in [
        ("ssh -N -F /tmp/c me@build", Some("/tmp/c"), "build"),
        ("ssh -NF/tmp/c build uptime -F x", Some("/tmp/c"), "build"),
        ("/usr/bin/ssh -p 443 -o Foo=bar build", None, "build"),
        ("ssh build -Fc", Some("c"), "build"),
        ("autossh -M 0 -N build", None, "build"),
    ] {
        let expected = CommandLine { file: file.map(str::to_owned), host: host.to_owned() };
        assert_eq!(command_line("", &words(line)), Some(expected), "{line}");
    }
}

#[test]
fn knows_a_client_by_its_executable_too() {
    assert!(command_line("/usr/bin/ssh", &words("kworker build")).is_some());
    // As /proc/PID/exe shows a program whose file was replaced.
    assert!(command_line("/usr/bin/ssh (deleted)", &words("kworker build")).is_some());
    assert!(command_line("/usr/bin/anything", &words("slogin build")).is_some());
    assert!(command_line("/usr/sbin/sshd", &words("sshd -R")).is_none());
}

#[test]
fn reads_the_files_of_the_user_and_of_the_system() {
    let folder = Folder::new(
        "files",
        &[
            ("etc/passwd", "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n"),
            ("home/me/.ssh/config", "Host build\nInclude conf.d/*.conf\n"),
            ("home/me/.ssh/conf.d/a.conf", "RemoteForward 1 a:1\n"),
            ("home/me/.ssh/conf.d/b.off", "RemoteForward 2 b:2\n"),
            ("etc/ssh/ssh_config", "Include /etc/ssh/more\n"),
            ("etc/ssh/more", "Tunnel yes\n"),
            ("root/.ssh/config", "RemoteForward 3 c:3\n"),
            ("srv/here", "DynamicForward 4\n"),
        ],
    );
    let own = |path: &str, directive: &str| (path.to_owned(), directive.to_owned());
    assert_eq!(
        folder.forwards("ssh -N build"),
        [own("/home/me/.ssh/conf.d/a.conf", "RemoteForward 1 a:1"), own("/etc/ssh/more", "Tunnel yes")]
    );
    assert_eq!(folder.forwards("ssh -N other"), [own("/etc/ssh/more", "Tunnel yes")]);
    assert_eq!(folder.forwards("ssh -F here build"), [own("/srv/here", "DynamicForward 4")]);
    assert!(folder.forwards("ssh -F none build").is_empty());
}

#[test]
fn ends_where_files_include_each_other() {
    assert_eq!(found_in("RemoteForward 1 a:1\nInclude /c\n", "x").len(), MAX_FILES);
}

#[test]
fn reads_on_behind_bytes_that_are_no_text() {
    let folder = Folder::new("bytes", &[("c", "")]);
    std::fs::write(folder.0.join("c"), b"# \xff\nRemoteForward 1 a:1\n").unwrap();
    assert_eq!(folder.forwards("ssh -F /c x").len(), 1);
}

#[test]
fn takes_the_directives_of_hosts_that_match() {
    let text =
        "RemoteForward 1 a:1\nHost build-* !build-9\n  remoteforward=2 b:2\nHost other\n LocalForward 3 c:3\nMatch all\nDynamicForward 4\n";
    assert_eq!(found_in(text, "build-1"), ["RemoteForward 1 a:1", "remoteforward=2 b:2", "DynamicForward 4"]);
    assert_eq!(found_in(text, "build-9"), ["RemoteForward 1 a:1", "DynamicForward 4"]);
}

#[test]
fn takes_the_first_value_of_what_explains_a_channel() {
    let text =
        "ForwardAgent no\nHost other\nControlMaster no\nHost *\nControlMaster auto\nControlPath ~/a\nControlPath ~/b\nForwardAgent yes\n";
    assert_eq!(found_in(text, "x"), ["ForwardAgent no", "ControlMaster auto", "ControlPath ~/a"]);
    // However many there are, they take the place of no forward.
    let many = "ControlMaster auto\n".repeat(2 * MAX_FORWARDS) + "RemoteForward 1 a:1\n";
    assert_eq!(found_in(&many, "x"), ["RemoteForward 1 a:1", "ControlMaster auto"]);
}

#[test]
fn ignores_comments_and_other_directives() {
    assert!(found_in("# RemoteForward 1 a:1\nHostName x\nRemoteForwardish 1\n", "x").is_empty());
}

#[test]
fn matches_patterns_as_ssh_does() {
    for (pattern, text, expected) in
        [("*", "", true), ("a*c", "abbc", true), ("a?c", "ac", false), ("*.lan", "h.lan", true), ("ab", "abc", false)]
    {
        assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
    }
}
