//! Which parts requests are asked about: those of the newest configuration, and those of the ones before it whose last
//! requests are not done yet.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use auth_core::gate::Context;

use super::part::Part;
use crate::wiring::Wired;

/// The parts that requests are asked about.
#[derive(Clone, Debug, Default)]
pub(crate) struct InUse(Arc<Mutex<Vec<Wiring>>>);

#[derive(Clone, Debug)]
struct Wiring {
    parts: Vec<Part>,
    /// There for as long as somebody can be admitted by the parts.
    context: Weak<Context>,
}

impl InUse {
    /// Adds the parts of the newest configuration.
    pub(crate) fn add(&self, wired: &Wired) {
        let wiring = Wiring { parts: Part::all_of(wired), context: Arc::downgrade(&wired.gate.context()) };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(wiring);
    }

    pub(super) fn newest(&self) -> Vec<Part> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.last().map(|wiring| wiring.parts.clone()).unwrap_or_default()
    }

    /// Writes down every use, and forgets the parts that there will be no more uses of.
    pub(super) fn write_down(&self) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // looked at before the last uses are written down, so that there can be none behind them
        let is_over: Vec<bool> = all.iter().map(|wiring| wiring.context.strong_count() == 0).collect();
        all.iter().flat_map(|wiring| &wiring.parts).for_each(Part::write_down);
        let mut is_over = is_over.into_iter();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_| !is_over.next().unwrap_or(false));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use auth_core::issue::NewKey;
    use auth_core::store::KeyScope;
    use auth_core::{Outcome, RequestHead};

    use super::*;
    use crate::config;
    use crate::start::waiting_runtime;
    use crate::wiring::{Resources, wire};

    const KEYS: &str = "[[credentials]]\nheader = \"x-api-key\"\nkinds = [\"api_key\"]\n[api_keys]\nprefix = \"gw\"\n\
                        [[routes]]\npath = \"/x\"\naccess = \"authenticated\"\n";

    fn done<T>(outcome: Outcome<T>) -> T {
        match outcome {
            Outcome::Done(value) => value,
            Outcome::Wait(pending) => waiting_runtime().unwrap().block_on(pending),
        }
    }

    #[test]
    fn what_the_last_requests_of_an_older_configuration_used_is_written_down() {
        let config = config::load(KEYS, "gateway.toml", Path::new("")).unwrap();
        let resources = Resources::in_memory(&config).unwrap();
        let (old, new) = (wire(&config, resources.clone()).unwrap(), wire(&config, resources.clone()).unwrap());
        let in_use = InUse::default();
        in_use.add(&old);
        in_use.add(&new);
        in_use.write_down();
        let now = old.gate.now();
        let minted = waiting_runtime().unwrap();
        let minted =
            minted.block_on(old.keys.as_ref().unwrap().service.mint(NewKey::new("key", "owner"), now)).unwrap();
        let used = || {
            let records = done(resources.key_store.list(&KeyScope::All)).unwrap();
            records.first().unwrap().last_used
        };
        let headers = [("x-api-key", minted.key.expose_text().unwrap())];
        // still in flight when the configuration is replaced, and decided then
        let _ = done(old.gate.decide(&RequestHead::new("GET", "/x", &headers), now));
        drop(old);
        assert_eq!(used(), None);
        in_use.write_down();
        assert!(used().is_some(), "the last use is lost");
        assert_eq!(in_use.0.lock().unwrap().len(), 1, "the old parts are kept for ever");
    }
}
