//! From method and path to what is asked.

/// What is asked of administration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Operation {
    Known(Kind, Action),
    /// There is nothing at this path, or not with this method.
    Unknown,
}

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Users,
    Tenants,
    Keys,
    Clients,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Action {
    List,
    Create,
    Find,
    Show,
    Disable,
    Enable,
    SetPlan,
    SetPermissions,
    SetNetworks,
    SetGrants,
    SetExpiry,
    SetKeys,
    ResetPassword,
    EndSessions,
    RemoveSecondFactor,
    Revoke,
    Rotate,
}

impl Operation {
    /// What a request is for, and the id in its path; `rest` is what follows the prefix.
    pub(super) fn of(method: &str, rest: &str) -> (Self, String) {
        let unknown = (Self::Unknown, String::new());
        let mut segments = rest.split('/');
        let kind = match segments.next() {
            Some("users") => Kind::Users,
            Some("tenants") => Kind::Tenants,
            Some("keys") => Kind::Keys,
            Some("clients") => Kind::Clients,
            _ => return unknown,
        };
        let is_read = matches!(method, "GET" | "HEAD");
        let (id, action) = match (segments.next(), segments.next(), segments.next()) {
            (None, None, None) if is_read => ("", Action::List),
            (None, None, None) if method == "POST" => ("", Action::Create),
            (Some("find"), None, None) if method == "POST" && kind == Kind::Users => ("", Action::Find),
            // ids are letters, digits, `_`, `-` and `.`, so that an escape is no part of any
            (Some(id), None, None) if is_read && !id.is_empty() => (id, Action::Show),
            (Some(id), None, None)
                if method == "DELETE" && matches!(kind, Kind::Keys | Kind::Clients) && !id.is_empty() =>
            {
                (id, Action::Revoke)
            }
            (Some(id), Some(what), None) if !id.is_empty() => match Self::upon(kind, method, what) {
                Some(action) => (id, action),
                None => return unknown,
            },
            _ => return unknown,
        };
        (Self::Known(kind, action), id.to_owned())
    }

    /// What is done with one of them.
    fn upon(kind: Kind, method: &str, what: &str) -> Option<Action> {
        Some(match (method, what, kind) {
            ("POST", "disable", _) => Action::Disable,
            ("POST", "enable", _) => Action::Enable,
            ("PUT", "plan", _) => Action::SetPlan,
            ("PUT", "networks", _) => Action::SetNetworks,
            ("PUT", "permissions", Kind::Users | Kind::Keys | Kind::Clients) => Action::SetPermissions,
            ("POST", "reset-password", Kind::Users) => Action::ResetPassword,
            ("POST", "end-sessions", Kind::Users) => Action::EndSessions,
            ("POST", "remove-second-factor", Kind::Users) => Action::RemoveSecondFactor,
            ("POST", "rotate", Kind::Keys | Kind::Clients) => Action::Rotate,
            ("PUT", "grants", Kind::Clients) => Action::SetGrants,
            ("PUT", "expiry", Kind::Clients) => Action::SetExpiry,
            ("PUT", "jwks", Kind::Clients) => Action::SetKeys,
            _ => return None,
        })
    }
}

impl Action {
    pub(super) const fn needs_content(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Find
                | Self::SetPlan
                | Self::SetPermissions
                | Self::SetNetworks
                | Self::SetGrants
                | Self::SetExpiry
                | Self::SetKeys
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_told_by_method_and_path_exactly() {
        let known = |kind, action, id: &str| (Operation::Known(kind, action), id.to_owned());
        for (method, rest, expected) in [
            ("GET", "users", known(Kind::Users, Action::List, "")),
            ("POST", "users/find", known(Kind::Users, Action::Find, "")),
            ("HEAD", "tenants/acme", known(Kind::Tenants, Action::Show, "acme")),
            ("DELETE", "keys/key_1", known(Kind::Keys, Action::Revoke, "key_1")),
            ("PUT", "users/user_1/plan", known(Kind::Users, Action::SetPlan, "user_1")),
            ("POST", "keys/key_1/rotate", known(Kind::Keys, Action::Rotate, "key_1")),
        ] {
            assert_eq!(Operation::of(method, rest), expected, "{method} {rest}");
        }
        for (method, rest) in [
            ("DELETE", "users/user_1"),
            ("PUT", "tenants/acme/permissions"),
            ("GET", "users/"),
            ("POST", "users//disable"),
            ("POST", "users/user_1/disable/"),
            ("GET", "users/user_1/disable"),
            ("get", "users"),
            ("GET", "Users"),
            ("GET", ""),
        ] {
            assert_eq!(Operation::of(method, rest).0, Operation::Unknown, "{method} {rest}");
        }
    }
}
