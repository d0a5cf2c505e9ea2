//! What a route needs, and who has it.

mod permission;

pub use permission::PermissionModel;
