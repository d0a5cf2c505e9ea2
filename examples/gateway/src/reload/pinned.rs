//! Settings that hold until the next start: what the process made of them cannot be made again under its connections.

use std::path::Path;

use crate::config::{Config, Tls};

/// Leaves these settings of the next configuration as they are now; answers which of them were to change.
pub(super) fn keep(now: &Config, next: &mut Config) -> Vec<&'static str> {
    let mut kept = Kept(Vec::new());
    let (ours, theirs) = (&now.server, &mut next.server);
    kept.keep("server.listen", &ours.listen, &mut theirs.listen);
    kept.keep("server.max_connections", &ours.max_connections, &mut theirs.max_connections);
    kept.keep("server.header_read_timeout", &ours.header_read_timeout, &mut theirs.header_read_timeout);
    kept.keep("server.max_header_size", &ours.max_header_size, &mut theirs.max_header_size);
    kept.keep("server.max_concurrent_streams", &ours.max_concurrent_streams, &mut theirs.max_concurrent_streams);
    kept.keep("server.shutdown_grace", &ours.shutdown_grace, &mut theirs.shutdown_grace);
    if files(now.tls.as_ref()) != files(next.tls.as_ref()) {
        next.tls.clone_from(&now.tls);
        kept.0.push("tls");
    }
    kept.keep("limits.capacity", &now.limits.capacity, &mut next.limits.capacity);
    kept.keep("log.level", &now.log.level, &mut next.log.level);
    kept.keep("log.format", &now.log.format, &mut next.log.format);
    kept.keep("demo.enabled", &now.demo.value, &mut next.demo.value);
    kept.0
}

struct Kept(Vec<&'static str>);

impl Kept {
    fn keep<T: PartialEq + Clone>(&mut self, name: &'static str, now: &T, next: &mut T) {
        if now != next {
            next.clone_from(now);
            self.0.push(name);
        }
    }
}

fn files(tls: Option<&Tls>) -> Option<(&Path, &Path)> {
    tls.map(|tls| (tls.cert_file.value.as_path(), tls.key_file.value.as_path()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn read(text: &str) -> Config {
        config::load(text, "gateway.toml", Path::new("")).unwrap()
    }

    #[test]
    fn what_cannot_change_stays_and_is_named_and_the_rest_changes() {
        let routes = "[[routes]]\npath = \"/x\"\naccess = \"public\"\n";
        let now = read(routes);
        let text = format!(
            "{routes}cors = true
            [server]
            listen = \"127.0.0.1:1\"
            max_connections = 7
            header_read_timeout = \"7s\"
            max_header_size = \"7KiB\"
            max_concurrent_streams = 7
            shutdown_grace = \"7s\"
            public_url = \"https://api.example\"
            [limits]
            capacity = 7
            [log]
            level = \"warn\"
            format = \"json\"
            [demo]
            enabled = true
            "
        );
        let mut next = read(&text);
        let kept = keep(&now, &mut next);
        assert_eq!(
            kept.join(" "),
            "server.listen server.max_connections server.header_read_timeout server.max_header_size \
             server.max_concurrent_streams server.shutdown_grace limits.capacity log.level log.format demo.enabled"
        );
        assert_eq!((next.server.listen, next.limits.capacity), (now.server.listen, now.limits.capacity));
        assert!(keep(&now, &mut next).is_empty(), "what was kept differs no more");
        assert!(next.server.public_url.is_some());
    }

    #[test]
    fn another_certificate_file_waits_for_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let tls = |name: &str| {
            std::fs::write(folder.path().join(name), "").unwrap();
            let text = format!("[tls]\ncert_file = \"{name}\"\nkey_file = \"{name}\"\n");
            config::load(&text, "gateway.toml", folder.path()).unwrap()
        };
        let (none, one) = (read(""), tls("one"));
        let is_kept = |now: &Config, mut next: Config| {
            assert_eq!(keep(now, &mut next), ["tls"]);
            assert_eq!(files(next.tls.as_ref()), files(now.tls.as_ref()));
        };
        is_kept(&none, tls("one"));
        is_kept(&one, read(""));
        is_kept(&one, tls("two"));
        assert!(keep(&one, &mut tls("one")).is_empty());
    }
}
