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
