//! What outlives the decision: the parts of a gate that extractors and proxies need afterwards.

use std::fmt;
use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::credential::{Source, SourceMask};
use crate::gate::Refusal;
use crate::gate::request_id::request_id;
use crate::policy::PermissionModel;
use crate::principal::Principal;
use crate::rejection::Rejection;
use crate::reply::{Renderer, Reply, Situation};
use crate::request::RequestHead;

/// What a gate shares with the principals it admits and with its adapters.
pub struct Context {
    pub(crate) permissions: PermissionModel,
    pub(crate) renderer: Renderer,
    pub(crate) sources: Vec<Source>,
    pub(crate) clock: Box<dyn Clock>,
}

impl Context {
    /// The reply to a refusal that is decided after the gate: by an extractor, by a proxy, by the application.
    pub fn refuse(&self, rejection: &Rejection, method: &str, path: &str, request_id: &str) -> Reply {
        let situation = Situation { method, path, request_id, time: self.clock.now().wall };
        self.reply(rejection, &situation, SourceMask::ALL, SourceMask::NONE)
    }

    /// A refusal that is decided after the gate or beside it, told like the gate's own.
    ///
    /// The request's identifier is the one it carries, if that is harmless, or a fresh one. A caller that is known by
    /// then is told what its own credential lacks.
    pub fn refusal(&self, rejection: Rejection, head: &RequestHead<'_>) -> Refusal {
        let id = request_id(head);
        let situation =
            Situation { method: head.method, path: head.path, request_id: &id, time: self.clock.now().wall };
        let known = head.known.filter(|known| std::ptr::eq(Arc::as_ptr(known.context()), self));
        let presented = known.map_or(SourceMask::NONE, Principal::presented);
        let reply = self.reply(&rejection, &situation, SourceMask::ALL, presented);
        Refusal { rejection, reply }
    }

    /// The reply with the challenges of the `accepted` sources, of which `presented` brought the refused credentials.
    pub(crate) fn reply(
        &self,
        rejection: &Rejection,
        situation: &Situation<'_>,
        accepted: SourceMask,
        presented: SourceMask,
    ) -> Reply {
        let accepted = self.sources.iter().zip(SourceMask::each()).filter(|(_, one)| accepted.meets(*one));
        let sources = accepted.map(|(source, one)| (source, presented.meets(one)));
        self.renderer.render(rejection, situation, sources)
    }
}

/// The context of principals that no gate admitted: the usual shape, no credentials to challenge for.
impl Default for Context {
    fn default() -> Self {
        Self {
            permissions: PermissionModel::default(),
            renderer: Renderer::default(),
            sources: Vec::new(),
            clock: Box::new(SystemClock),
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("sources", &self.sources).finish_non_exhaustive()
    }
}
