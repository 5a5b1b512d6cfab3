//! What an SSH client takes from configuration files: forwarding, so that a clean command line hides nothing, and what explains
//! a channel that stands. Reads ssh_config(5): `Host` patterns, `Match all` and `Include`. Forwards of all sections that apply
//! add up; of anything else the first value counts.

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
const FORWARDS: [&str; 4] = ["remoteforward", "localforward", "dynamicforward", "tunnel"];
const SETTINGS: [&str; 5] = ["controlmaster", "controlpath", "forwardagent", "forwardx11", "identityagent"];

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

/// Forwards and then settings that apply to `command.host` for a client below `root`. `cwd` is a path inside it; the home of `uid` is read from
/// its passwd, for ssh asks getpwuid(3), not $HOME.
pub fn forwards(command: &CommandLine, root: &Root, uid: u32, cwd: &str) -> Vec<SshForward> {
    let passwd = root.read(Path::new("/etc/passwd"), MAX_PASSWD_BYTES).unwrap_or_default();
    let home = home_of(&passwd, uid).unwrap_or_default();
    let mut reader = Reader { root, home: &home, host: &command.host, files: 0, found: Vec::new(), settings: Vec::new() };
    match &command.file {
        Some(file) if file == "none" => {}
        Some(file) => reader.file(&Path::new(cwd).join(file)),
        None => {
            reader.file(&Path::new(&home).join(".ssh/config"));
            reader.file(Path::new(SYSTEM_CONFIG));
        }
    }
    [reader.found, reader.settings.into_iter().map(|(_, setting)| setting).collect()].concat()
}

struct Reader<'a> {
    root: &'a Root,
    home: &'a str,
    host: &'a str,
    files: usize,
    found: Vec<SshForward>,
    /// By keyword; beside the forwards, so that none takes the place of one.
    settings: Vec<(String, SshForward)>,
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
                _ if !applies => {}
                word if FORWARDS.contains(&word) && self.found.len() < MAX_FORWARDS => self.found.push(directive(path, line)),
                word if SETTINGS.contains(&word) && self.settings.iter().all(|(known, _)| known != word) => {
                    self.settings.push((word.to_owned(), directive(path, line)));
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

fn directive(path: &Path, line: &str) -> SshForward {
    SshForward { path: path.display().to_string(), directive: line.to_owned() }
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
mod tests;
