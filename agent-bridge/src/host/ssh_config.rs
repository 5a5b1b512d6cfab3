//! Forwarding that an SSH client takes from configuration files, so that a clean command line hides nothing.
//! Reads ssh_config(5): `Host` patterns, `Match all`, `Include`, first value wins for nothing here (forwards add up).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::wire::SshForward;

/// Larger files are cut: nobody writes that by hand.
const MAX_FILE_BYTES: u64 = 64 << 10;
const MAX_INCLUDES: usize = 16;
const MAX_FORWARDS: usize = 32;
const SYSTEM_CONFIG: &str = "/etc/ssh/ssh_config";
/// Options of ssh(1) that take a value, OpenSSH 10.
const WITH_VALUE: &str = "BbcDEeFIiJLlmOoPpQRSWw";
const DIRECTIVES: [&str; 4] = ["remoteforward", "localforward", "dynamicforward", "tunnel"];

/// What the command line says about configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    pub file: Option<String>,
    pub host: String,
}

/// `None` when the program is no SSH client.
pub fn command_line(argv: &[String]) -> Option<CommandLine> {
    let (program, rest) = argv.split_first()?;
    let name = program.rsplit('/').next().unwrap_or(program);
    if name != "ssh" && name != "autossh" {
        return None;
    }
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
        if let Some((at, letter)) = letters.char_indices().find(|(_, c)| WITH_VALUE.contains(*c)) {
            let glued = letters.get(at + 1..).unwrap_or_default();
            let value = if glued.is_empty() { words.next().map(String::as_str).unwrap_or_default() } else { glued };
            if letter == 'F' {
                found.file = Some(value.to_owned());
            }
        }
    }
    Some(found)
}

/// Forwards that apply to `line.host`. `root` is /proc/PID/root, `home` and `cwd` are paths inside it.
pub fn forwards(line: &CommandLine, root: &Path, home: &str, cwd: &str) -> Vec<SshForward> {
    let mut found = Vec::new();
    let mut reader = Reader { root, home, host: &line.host, includes: 0, found: &mut found };
    match &line.file {
        Some(file) if file == "none" => {}
        Some(file) if file.starts_with('/') => reader.file(Path::new(file)),
        Some(file) => reader.file(&Path::new(cwd).join(file)),
        None => {
            reader.file(&Path::new(home).join(".ssh/config"));
            reader.file(Path::new(SYSTEM_CONFIG));
        }
    }
    found
}

struct Reader<'a> {
    root: &'a Path,
    home: &'a str,
    host: &'a str,
    includes: usize,
    found: &'a mut Vec<SshForward>,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path) {
        if self.includes >= MAX_INCLUDES {
            return;
        }
        self.includes += 1;
        let inside = path.strip_prefix("/").unwrap_or(path);
        let mut text = String::new();
        let Ok(file) = File::open(self.root.join(inside)) else { return };
        // A file that is not text ends where it stops being text.
        let _ = file.take(MAX_FILE_BYTES).read_to_string(&mut text);
        self.text(&text, path);
    }

    fn text(&mut self, text: &str, path: &Path) {
        let mut applies = true;
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (keyword, value) = split(line);
            match keyword.as_str() {
                "host" => applies = host_applies(value, self.host),
                "match" => applies = value.trim().eq_ignore_ascii_case("all"),
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
        for word in value.split_whitespace() {
            let word = word.replacen('~', self.home, usize::from(word.starts_with("~/")));
            let base = if from == Path::new(SYSTEM_CONFIG) { PathBuf::from("/etc/ssh") } else { Path::new(self.home).join(".ssh") };
            let path = base.join(word);
            let (Some(folder), Some(pattern)) = (path.parent(), path.file_name().and_then(|n| n.to_str())) else { continue };
            if !pattern.contains(['*', '?']) {
                self.file(&path);
                continue;
            }
            let Ok(entries) = std::fs::read_dir(self.root.join(folder.strip_prefix("/").unwrap_or(folder))) else { continue };
            let mut names: Vec<_> =
                entries.flatten().filter_map(|e| e.file_name().into_string().ok()).filter(|n| glob(pattern, n)).collect();
            names.sort();
            for name in names.into_iter().take(MAX_INCLUDES) {
                self.file(&folder.join(name));
            }
        }
    }
}

/// "Keyword value" or "Keyword=value"; keywords know no case.
fn split(line: &str) -> (String, &str) {
    let end = line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len());
    let (keyword, value) = line.split_at(end);
    (keyword.to_ascii_lowercase(), value.trim_start_matches(|c: char| c.is_whitespace() || c == '='))
}

/// ssh_config(5), PATTERNS: a negated match excludes, whatever else matches.
fn host_applies(patterns: &str, host: &str) -> bool {
    let mut applies = false;
    for pattern in patterns.split_whitespace() {
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

/// Home of a user by /etc/passwd below `root`: ssh asks getpwuid(3), not $HOME.
pub fn home_of(root: &Path, uid: u32) -> Option<String> {
    let mut text = String::new();
    let _ = File::open(root.join("etc/passwd")).ok()?.take(1 << 20).read_to_string(&mut text);
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.nth(2)?.parse::<u32>().ok()? == uid).then(|| fields.nth(2).map(str::to_owned))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn found_in(text: &str, host: &str) -> Vec<String> {
        let mut found = Vec::new();
        Reader { root: Path::new("/nonexistent"), home: "/root", host, includes: 0, found: &mut found }.text(text, Path::new("/c"));
        found.into_iter().map(|f| f.directive).collect()
    }

    #[test]
    fn reads_the_file_and_the_host_of_a_command_line() {
        for (line, file, host) in [
            ("ssh -N -F /tmp/c me@build", Some("/tmp/c"), "build"),
            ("ssh -NF/tmp/c build uptime -F x", Some("/tmp/c"), "build"),
            ("/usr/bin/ssh -p 443 -o Foo=bar build", None, "build"),
            ("ssh build -Fc", Some("c"), "build"),
        ] {
            let expected = CommandLine { file: file.map(str::to_owned), host: host.to_owned() };
            assert_eq!(command_line(&words(line)), Some(expected), "{line}");
        }
        assert_eq!(command_line(&words("sshd -R")), None);
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
