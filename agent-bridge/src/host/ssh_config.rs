//! Forwarding that an SSH client takes from configuration files, so that a clean command line hides nothing.
//! Reads ssh_config(5): `Host` patterns, `Match all` and `Include`. Forwards of all sections that apply add up.

use std::path::{Path, PathBuf};

use crate::host::inside_root::Root;
use crate::wire::SshForward;

/// Larger files are cut: nobody writes that by hand.
const MAX_FILE_BYTES: u64 = 64 << 10;
const MAX_PASSWD_BYTES: u64 = 1 << 20;
const MAX_FILES: usize = 16;
const MAX_FORWARDS: usize = 32;
const SYSTEM_CONFIG: &str = "/etc/ssh/ssh_config";
/// Options of ssh(1) that take a value, OpenSSH 10.0, and programs that read ssh_config(5): autossh starts ssh with the rest of
/// its own words. The analyzer has the same lists; test/project/agreement.test.ts compares them.
const WITH_VALUE: &str = "BbcDEeFIiJLlmOoPpQRSWw";
const PROGRAMS: [&str; 3] = ["ssh", "slogin", "autossh"];
const DIRECTIVES: [&str; 4] = ["remoteforward", "localforward", "dynamicforward", "tunnel"];

/// What the command line says about configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    pub file: Option<String>,
    pub host: String,
}

/// `None` when neither the executable nor its name for itself is that of an SSH client.
pub fn command_line(exe: &str, argv: &[String]) -> Option<CommandLine> {
    let (program, rest) = argv.split_first()?;
    let names = [exe.trim_end_matches(" (deleted)"), program].map(|path| path.rsplit('/').next().unwrap_or(path));
    if !names.iter().any(|name| PROGRAMS.contains(name)) {
        return None;
    }
    let is_autossh = names.contains(&"autossh");
    let mut found = CommandLine::default();
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix('-').filter(|l| !l.is_empty()) else {
            if found.host.is_empty() {
                found.host = word.rsplit('@').next().unwrap_or(word).to_owned();
                continue;
            }
            break;
        };
        if let Some((at, letter)) = letters.char_indices().find(|(_, c)| WITH_VALUE.contains(*c) || is_autossh && *c == 'M') {
            let glued = letters.get(at + 1..).unwrap_or_default();
            let value = if glued.is_empty() { words.next().map(String::as_str).unwrap_or_default() } else { glued };
            if letter == 'F' {
                found.file = Some(value.to_owned());
            }
        }
    }
    Some(found)
}

/// Forwards that apply to `command.host` for a client below `root`. `cwd` is a path inside it; the home of `uid` is read from
/// its passwd, for ssh asks getpwuid(3), not $HOME.
pub fn forwards(command: &CommandLine, root: &Root, uid: u32, cwd: &str) -> Vec<SshForward> {
    let passwd = root.read(Path::new("/etc/passwd"), MAX_PASSWD_BYTES).unwrap_or_default();
    let home = home_of(&passwd, uid).unwrap_or_default();
    let mut reader = Reader { root, home: &home, host: &command.host, files: 0, found: Vec::new() };
    match &command.file {
        Some(file) if file == "none" => {}
        Some(file) => reader.file(&Path::new(cwd).join(file)),
        None => {
            reader.file(&Path::new(&home).join(".ssh/config"));
            reader.file(Path::new(SYSTEM_CONFIG));
        }
    }
    reader.found
}

struct Reader<'a> {
    root: &'a Root,
    home: &'a str,
    host: &'a str,
    files: usize,
    found: Vec<SshForward>,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path) {
        if self.files >= MAX_FILES {
            return;
        }
        self.files += 1;
        if let Ok(text) = self.root.read(path, MAX_FILE_BYTES) {
            self.text(&text, path);
        }
    }

    fn text(&mut self, text: &str, path: &Path) {
        let mut applies = true;
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (keyword, value) = keyword_and_value(line);
            match keyword.as_str() {
                "host" => applies = host_applies(value, self.host),
                "match" => applies = unquote(value).eq_ignore_ascii_case("all"),
                "include" if applies => self.include(value, path),
                word if applies && DIRECTIVES.contains(&word) && self.found.len() < MAX_FORWARDS => {
                    self.found.push(SshForward { path: path.display().to_string(), directive: line.to_owned() });
                }
                _ => {}
            }
        }
    }

    /// Relative names are in ~/.ssh for a user's file and in /etc/ssh for the system's; a `*` may stand in the last part.
    fn include(&mut self, value: &str, from: &Path) {
        for word in value.split_whitespace().map(unquote) {
            let word = word.replacen('~', self.home, usize::from(word.starts_with("~/")));
            let base = if from == Path::new(SYSTEM_CONFIG) { PathBuf::from("/etc/ssh") } else { Path::new(self.home).join(".ssh") };
            let path = base.join(word);
            let (Some(folder), Some(pattern)) = (path.parent(), path.file_name().and_then(|n| n.to_str())) else { continue };
            if !pattern.contains(['*', '?']) {
                self.file(&path);
                continue;
            }
            let names = self.root.names(folder).unwrap_or_default();
            for name in names.into_iter().filter(|name| glob(pattern, name)).take(MAX_FILES) {
                self.file(&folder.join(name));
            }
        }
    }
}

/// "Keyword value" or "Keyword=value"; keywords know no case.
fn keyword_and_value(line: &str) -> (String, &str) {
    let end = line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len());
    let (keyword, value) = line.split_at(end);
    (keyword.to_ascii_lowercase(), value.trim_start_matches(|c: char| c.is_whitespace() || c == '='))
}

fn unquote(word: &str) -> &str {
    word.trim().trim_matches('"')
}

/// ssh_config(5), PATTERNS: a negated match excludes, whatever else matches.
fn host_applies(patterns: &str, host: &str) -> bool {
    let mut applies = false;
    for pattern in patterns.split_whitespace().map(unquote) {
        match pattern.strip_prefix('!') {
            Some(negated) if glob(negated, host) => return false,
            Some(_) => {}
            None => applies |= glob(pattern, host),
        }
    }
    applies
}

/// `*` and `?` over bytes, without recursion.
fn glob(pattern: &str, text: &str) -> bool {
    let (p, t) = (pattern.as_bytes(), text.as_bytes());
    let (mut i, mut j) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while j < t.len() {
        match p.get(i) {
            Some(b'*') => {
                star = Some((i, j));
                i += 1;
            }
            Some(c) if *c == b'?' || t.get(j) == Some(c) => {
                i += 1;
                j += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    i = at + 1;
                    j = from + 1;
                }
                None => return false,
            },
        }
    }
    p.get(i..).unwrap_or_default().iter().all(|c| *c == b'*')
}

/// Home of a user by the text of /etc/passwd (passwd(5)).
fn home_of(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.nth(2)?.parse::<u32>().ok()? == uid).then(|| fields.nth(2).map(str::to_owned))?
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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
        let text = "RemoteForward 1 a:1\nHost build-* !build-9\n  remoteforward=2 b:2\nHost other\n LocalForward 3 c:3\nMatch all\nDynamicForward 4\n";
        assert_eq!(found_in(text, "build-1"), ["RemoteForward 1 a:1", "remoteforward=2 b:2", "DynamicForward 4"]);
        assert_eq!(found_in(text, "build-9"), ["RemoteForward 1 a:1", "DynamicForward 4"]);
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
}
