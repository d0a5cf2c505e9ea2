//! What one route asks for: a requirement, and where the caller and its credential may come from.

use std::fmt;
use std::net::IpAddr;

use crate::ConfigError;
use crate::credential::{CredentialCount, CredentialReader, Source, SourceMask};
use crate::network::NetworkSet;
use crate::principal::Identity;
use crate::rejection::{Prohibition, Rejection};

use super::PermissionModel;
use super::needs::Needs;
use super::path_names::{Compared, PathNames, Slot};
use super::requirement::Requirement;

/// What one route asks for. A [`Requirement`] alone is a rule too.
///
/// ```
/// use auth_core::NetworkSet;
/// use auth_core::policy::{Rule, permission};
///
/// let rule = Rule::new(permission("billing:read"))
///     .tenant_from("organisation")
///     .networks(NetworkSet::parse(["10.0.0.0/8"])?)
///     .named("billing");
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(super) requirement: Requirement,
    tenant_parameter: Option<String>,
    networks: Option<NetworkSet>,
    accepting: Option<Vec<Source>>,
    count: CredentialCount,
    preflight: Preflight,
    cost: u32,
    anonymous: AnonymousCallers,
    name: Option<String>,
}

/// Whether callers without a credential pass although others need something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnonymousCallers {
    Refused,
    Pass,
}

/// What becomes of a CORS preflight, which never carries credentials (Fetch, section 3.3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preflight {
    /// It is a request like any other, so it is refused where a credential is needed. The default.
    #[default]
    Checked,
    /// It passes, for a layer behind the gate to answer.
    Passes,
}

/// Whether a route looks at credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialUse {
    /// They are not looked at.
    Ignored,
    /// None is fine, a bad one is not.
    Optional,
    /// There must be a good one.
    Required,
}

impl Rule {
    /// A rule that asks for this and nothing else.
    pub fn new(requirement: Requirement) -> Self {
        Self {
            requirement,
            tenant_parameter: None,
            networks: None,
            accepting: None,
            count: CredentialCount::ExactlyOne,
            preflight: Preflight::Checked,
            cost: 1,
            anonymous: AnonymousCallers::Refused,
            name: None,
        }
    }

    /// The caller's tenant must be the one that this path parameter names.
    ///
    /// The parameter is compared decoded and byte for byte. A caller without a tenant is refused.
    #[must_use]
    pub fn tenant_from(mut self, parameter: impl Into<String>) -> Self {
        self.tenant_parameter = Some(parameter.into());
        self
    }

    /// The client's address must lie in one of these networks; a client whose address is not known is refused.
    #[must_use]
    pub fn networks(mut self, allowed: NetworkSet) -> Self {
        self.networks = Some(allowed);
        self
    }

    /// Credentials count only at these sources of the gate; at any other they are as good as absent. The default is
    /// every source of the gate.
    #[must_use]
    pub fn accepting(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        self.accepting = Some(sources.into_iter().collect());
        self
    }

    /// The request may carry a credential at each of several sources. All must be good and name the same subject.
    #[must_use]
    pub fn several_credentials(mut self) -> Self {
        self.count = CredentialCount::Several;
        self
    }

    /// A caller without a credential passes; one who has a credential must meet the requirement all the same.
    ///
    /// For what everybody may see a little of, and customers by their permissions.
    #[must_use]
    pub fn or_anonymous(mut self) -> Self {
        self.anonymous = AnonymousCallers::Pass;
        self
    }

    /// CORS preflights for this route pass without a credential, for a layer behind the gate to answer.
    #[must_use]
    pub fn preflight(mut self) -> Self {
        self.preflight = Preflight::Passes;
        self
    }

    /// How many units a request takes from each of its caller's budgets. The default is 1; 0 asks and takes nothing.
    ///
    /// A caller who lacks the permission pays as well, so that probing is bounded; one who lacks the credential that
    /// the route needs pays 1 unit, since it gets nothing for it.
    #[must_use]
    pub fn cost(mut self, units: u32) -> Self {
        self.cost = units;
        self
    }

    /// The name in logs, and in budgets that belong to a route. The default is the path pattern.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether both ask for the same, whatever they are named.
    pub(super) fn asks_the_same(&self, other: &Self) -> bool {
        let but_the_name = |rule: &Self| Self { name: None, ..rule.clone() };
        but_the_name(self) == but_the_name(other)
    }
}

/// What the rule is named or, without a name, what it requires.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => self.requirement.fmt(f),
        }
    }
}

impl From<Requirement> for Rule {
    fn from(requirement: Requirement) -> Self {
        Self::new(requirement)
    }
}

/// A [`Rule`] made ready for requests.
#[derive(Debug)]
pub struct RouteRule {
    name: Box<str>,
    needs: Needs,
    /// What it compares of the path.
    pub(super) compared: Compared,
    /// Which of that names the tenant.
    tenant: Option<Slot>,
    networks: Option<NetworkSet>,
    accepted: SourceMask,
    count: CredentialCount,
    pub(super) preflight: Preflight,
    cost: u32,
    anonymous: AnonymousCallers,
}

impl RouteRule {
    /// Makes a rule ready, and reports every mistake in it. `pattern` and its `parameters` are empty without a table.
    pub(super) fn compile(
        rule: &Rule,
        pattern: &str,
        parameters: &[String],
        model: &PermissionModel,
        reader: &CredentialReader,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut problems = Vec::new();
        let mut compared = Compared::default();
        let tenant = rule.tenant_parameter.as_ref().map(|wanted| compared.slot(wanted, parameters)).transpose();
        let tenant = tenant.map_err(|problem| problems.push(problem)).ok().flatten();
        let needs = Needs::compile(&rule.requirement, model, parameters, &mut compared).unwrap_or_else(|found| {
            problems.extend(found);
            Needs::Impossible
        });
        let accepted = accepted_sources(rule, reader, &mut problems);
        if rule.tenant_parameter.is_some() && !matches!(needs, Needs::Caller(_) | Needs::Impossible) {
            problems.push(ConfigError::new(
                "a tenant is compared, but callers need not be anybody: require authenticated() at least",
            ));
        }
        if rule.anonymous == AnonymousCallers::Pass
            && (rule.tenant_parameter.is_some() || !matches!(needs, Needs::Caller(_)))
        {
            problems.push(ConfigError::new(
                "callers without a credential pass as well, which goes with a requirement of the others and not with a \
                 tenant",
            ));
        }
        let particular = rule.accepting.is_some() || rule.count == CredentialCount::Several;
        if particular && matches!(needs, Needs::Nothing) {
            problems.push(ConfigError::new("a public route looks at no credential, so it cannot choose among them"));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            name: rule.name.as_deref().unwrap_or(pattern).into(),
            accepted: if matches!(needs, Needs::Nothing) { SourceMask::NONE } else { accepted },
            needs,
            compared,
            tenant,
            networks: rule.networks.clone(),
            count: rule.count,
            preflight: rule.preflight,
            cost: rule.cost,
            anonymous: rule.anonymous,
        })
    }

    /// The name for logs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the route looks at credentials.
    pub fn credentials(&self) -> CredentialUse {
        match self.needs {
            Needs::Nothing => CredentialUse::Ignored,
            Needs::GoodCredentialIfAny => CredentialUse::Optional,
            Needs::Caller(_) if self.anonymous == AnonymousCallers::Pass => CredentialUse::Optional,
            Needs::Caller(_) | Needs::Impossible => CredentialUse::Required,
        }
    }

    /// What becomes of a CORS preflight for the route.
    pub fn preflight(&self) -> Preflight {
        self.preflight
    }

    /// The sources at which credentials count; none on a public route.
    pub fn accepted(&self) -> SourceMask {
        self.accepted
    }

    /// How many units a request costs.
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// How many credentials the route takes.
    pub fn count(&self) -> CredentialCount {
        self.count
    }

    /// Whether the caller may pass; `None` is a caller without a credential.
    ///
    /// `path` is what [`Found::names`](super::Found::names) said of the request.
    ///
    /// # Errors
    /// The reason that weighs most: a missing credential, then what no permission would cure (the rule denies, the
    /// network, the tenant, somebody else's, a role), then missing permissions, all of them at once.
    pub fn check(
        &self,
        caller: Option<&Identity>,
        client: Option<IpAddr>,
        path: &PathNames<'_>,
    ) -> Result<(), Rejection> {
        if caller.is_none() && self.credentials() == CredentialUse::Required {
            return Err(Rejection::MissingCredential);
        }
        if matches!(self.needs, Needs::Impossible) {
            return Err(Rejection::Forbidden(Prohibition::Denied));
        }
        if let Some(allowed) = &self.networks
            && !client.is_some_and(|address| allowed.contains(address))
        {
            return Err(Rejection::Forbidden(Prohibition::Network));
        }
        let Some(caller) = caller else { return Ok(()) };
        if let Some(slot) = self.tenant {
            let tenant = path.at(slot);
            if tenant.is_none() || tenant != caller.tenant.as_deref() {
                return Err(Rejection::Forbidden(Prohibition::Tenant));
            }
        }
        match &self.needs {
            Needs::Caller(test) => test.check(caller, path),
            Needs::Nothing | Needs::GoodCredentialIfAny | Needs::Impossible => Ok(()),
        }
    }
}

fn accepted_sources(rule: &Rule, reader: &CredentialReader, problems: &mut Vec<ConfigError>) -> SourceMask {
    let Some(accepting) = &rule.accepting else { return SourceMask::ALL };
    if accepting.is_empty() {
        problems.push(ConfigError::new("the rule accepts no source of credentials: name one, or leave it out for all"));
    }
    let mut accepted = SourceMask::NONE;
    for source in accepting {
        match reader.index_of(source) {
            Some(index) => accepted = accepted.with(index),
            None => {
                problems.push(ConfigError::new(format!("no verifier reads `{source}`, so the rule cannot accept it")));
            }
        }
    }
    accepted
}
