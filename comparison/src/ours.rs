//! The gate.

use auth_actix::Auth;
use auth_core::gate::Gate;
use axum::Router;

use crate::frameworks::{Answer, on_actix, on_axum};
use crate::workload::{self, Algorithm, Fallible, Workload};
use crate::{app, router};

/// What the gate is asked to do.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) workload: Workload,
}

/// Everything that the table tells of the gate.
pub(crate) fn all() -> Fallible<Vec<Work>> {
    Ok(vec![
        Work { name: "HS256, verified every time", workload: workload::token(Algorithm::Hs256, "HS256", 2.0)? },
        Work { name: "RS256, verified every time", workload: workload::token(Algorithm::Rs256, "RS256", 1.12)? },
        Work { name: "known token", workload: workload::known_token()? },
        Work { name: "known API key", workload: workload::known_api_key()? },
        Work {
            name: "known token, 1,000 routes, three budgets, both families of fields",
            workload: workload::limited_token_among_many_routes()?,
        },
    ])
}

pub(crate) fn on_tower(gate: &Gate) -> Answer {
    on_axum::<Router, axum::body::Body, _>(router::layered(gate.clone()))
}

pub(crate) async fn wrapped(gate: &Gate) -> Answer {
    on_actix(app::wrapped(gate.clone()).await)
}

/// The wrap for a server of actix-web.
pub(crate) fn wrap(gate: &Gate) -> Auth {
    Auth::new(gate.clone())
}
