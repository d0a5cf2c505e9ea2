//! What a route needs, and who has it.
//!
//! A [`Policy`] is a table of path patterns, methods and [`Rule`]s. The gate compiles it once; then each request is
//! looked up by method and path:
//!
//! ```
//! use auth_core::policy::{Policy, Rule, permission, permission_for, public, role};
//!
//! let policy = Policy::new()
//!     .get("/v1/{*rest}", permission("read"))
//!     .any("/v1/{*rest}", permission("write"))
//!     .any("/admin/{*rest}", permission("admin").and(role("staff")))
//!     .get("/tenants/{tenant}/bill", Rule::new(permission("billing")).tenant_from("tenant"))
//!     .any("/shops/{shop}/stock", permission_for("shop:manage", "shop"))
//!     .any("/public/{*rest}", public());
//! # let _ = policy;
//! ```
//!
//! * A path that no pattern matches, and a method that no rule of its path names, have no rule: the caller has to
//!   authenticate and is then refused, so that strangers do not learn which routes exist.
//! * Where several patterns match, the more exact one decides: from left to right, a literal segment goes before a
//!   parameter or the rest of the path. The latter two cannot begin at the same place: `/a/{id}/b` beside `/a/{*rest}`
//!   is refused when the gate is built, as axum refuses it. `{*rest}` is never empty.
//! * The framework behind has to see it alike. axum does. actix-web takes the first pattern registered, so register
//!   the more exact ones first, and write the rest of a path as `{rest:.+}`: `.*` would match the empty rest as well.
//! * A path that can be read in two ways is refused with 400. That covers `//`, dot segments, `;`, escaped slashes and
//!   their kin for every path. And it covers letter case, trailing slashes and escapes wherever they matter: a path
//!   is looked up as it was sent and in folded spelling (decoded, in lower case, without trailing slash), and if the
//!   two reach different patterns there is no telling which of them the service behind will take.

mod compile;
mod methods;
mod needs;
mod path;
mod path_names;
mod pattern;
mod permission;
mod requirement;
mod rule;
mod table;

pub use methods::Methods;
pub use path_names::PathNames;
pub use permission::PermissionModel;
pub use requirement::{
    Requirement, all_of, any_of, authenticated, denied, optional, permission, permission_for, public, role, scope,
    subject_from,
};
pub use rule::{CredentialUse, Preflight, RouteRule, Rule};
pub use table::{CompiledPolicy, Entry, Found, Policy};
