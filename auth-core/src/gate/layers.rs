//! The rules of layers around single routes, made ready for one context.

use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;

use crate::policy::{CompiledPolicy, Rule};

/// The layers of a context, found by which rule they have: two layers may have equal rules.
///
/// Ordered by address. A weak pointer keeps the address from being used again, so none is mistaken for another.
#[derive(Default)]
pub(super) struct Layers(ArcSwap<Vec<Layer>>);

#[derive(Clone)]
struct Layer {
    rule: Weak<Rule>,
    policy: Arc<CompiledPolicy>,
}

impl Layers {
    pub(super) fn new(layers: impl IntoIterator<Item = (Arc<Rule>, CompiledPolicy)>) -> Self {
        let layers = layers.into_iter().map(|(rule, policy)| Layer::new(&rule, policy));
        Self(ArcSwap::from_pointee(in_order(layers.collect())))
    }

    /// Does something with the policy of the layer with that rule, which all threads read and none counts.
    pub(super) fn with_policy<T>(&self, rule: &Arc<Rule>, act: impl FnOnce(Option<&CompiledPolicy>) -> T) -> T {
        let layers = self.0.load();
        let at = layers.binary_search_by_key(&Arc::as_ptr(rule), |layer| layer.rule.as_ptr()).ok();
        act(at.and_then(|at| layers.get(at)).map(|layer| &*layer.policy))
    }

    /// Adds a layer, and forgets those that are gone. One at a time: of two, one would be lost.
    pub(super) fn add(&self, rule: &Arc<Rule>, policy: CompiledPolicy) {
        let mut layers = Vec::clone(&self.0.load());
        layers.retain(|layer| layer.rule.strong_count() > 0);
        layers.push(Layer::new(rule, policy));
        self.0.store(Arc::new(in_order(layers)));
    }

    /// The rules of the layers that are still there.
    pub(super) fn rules(&self) -> Vec<Arc<Rule>> {
        self.0.load().iter().filter_map(|layer| layer.rule.upgrade()).collect()
    }
}

impl Layer {
    fn new(rule: &Arc<Rule>, policy: CompiledPolicy) -> Self {
        Self { rule: Arc::downgrade(rule), policy: Arc::new(policy) }
    }
}

fn in_order(mut layers: Vec<Layer>) -> Vec<Layer> {
    layers.sort_by_key(|layer| layer.rule.as_ptr());
    layers
}
