//! From a list of routes to the table, with every mistake reported at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use matchit::{InsertError, Router};

use crate::ConfigError;
use crate::credential::CredentialReader;

use super::PermissionModel;
use super::methods::MethodRules;
use super::pattern::Pattern;
use super::rule::{RouteRule, Rule};
use super::table::{Route, Table};

/// The routes whose patterns fold to the same.
#[derive(Default)]
struct Group<'r> {
    spellings: Vec<Spelling<'r>>,
}

/// The routes of one pattern as written.
struct Spelling<'r> {
    exact: String,
    pattern: &'r str,
    rules: BTreeMap<Option<&'r str>, (&'r Rule, Arc<RouteRule>)>,
}

pub(super) fn table(
    routes: &[Route],
    model: &PermissionModel,
    reader: &CredentialReader,
) -> Result<Table, Vec<ConfigError>> {
    let mut problems = Vec::new();
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    for route in routes {
        if let Err(found) = add(route, &mut groups, model, reader) {
            let place = format!("route `{} {}`", route.methods, route.pattern);
            problems.extend(found.into_iter().map(|problem| problem.at(&place)));
        }
    }
    problems.extend(groups.values().filter_map(Group::disagreement));
    let table = assemble(&groups, &mut problems);
    if problems.is_empty() { Ok(table) } else { Err(problems) }
}

fn add<'r>(
    route: &'r Route,
    groups: &mut BTreeMap<String, Group<'r>>,
    model: &PermissionModel,
    reader: &CredentialReader,
) -> Result<(), Vec<ConfigError>> {
    let mut problems = Vec::new();
    problems.extend(route.methods.check().err());
    let pattern = match Pattern::parse(&route.pattern) {
        Ok(pattern) => pattern,
        Err(problem) => {
            problems.push(problem);
            return Err(problems);
        }
    };
    let rule = match RouteRule::compile(&route.rule, &route.pattern, &pattern.parameters, model, reader) {
        Ok(rule) => Arc::new(rule),
        Err(found) => {
            problems.extend(found);
            return Err(problems);
        }
    };
    let group = groups.entry(pattern.folded).or_default();
    let spelling = group.spelling(pattern.exact, &route.pattern);
    for method in route.methods.each() {
        if spelling.rules.insert(method, (&route.rule, Arc::clone(&rule))).is_some() {
            let method = method.unwrap_or("*");
            let pattern = spelling.pattern;
            problems.push(ConfigError::new(format!("`{method} {pattern}` has a rule already: keep one of the two")));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

impl<'r> Group<'r> {
    fn spelling(&mut self, exact: String, pattern: &'r str) -> &mut Spelling<'r> {
        let at = self.spellings.iter().position(|known| known.exact == exact).unwrap_or_else(|| {
            self.spellings.push(Spelling { exact, pattern, rules: BTreeMap::new() });
            self.spellings.len() - 1
        });
        &mut self.spellings[at]
    }

    /// Spellings that only letter case or a trailing slash tells apart must carry the same rules: to many services
    /// they are the same path.
    fn disagreement(&self) -> Option<ConfigError> {
        let (first, others) = self.spellings.split_first()?;
        let other = others.iter().find(|other| !first.asks_the_same(other))?;
        Some(ConfigError::new(format!(
            "`{}` and `{}` differ in letter case or a trailing slash alone, but not in that alone what they ask for: \
             give both the same methods and rules, or leave one out",
            first.pattern, other.pattern
        )))
    }
}

impl Spelling<'_> {
    fn asks_the_same(&self, other: &Self) -> bool {
        let same = |method, rule: &Rule| other.rules.get(method).is_some_and(|(theirs, _)| theirs.asks_the_same(rule));
        self.rules.len() == other.rules.len() && self.rules.iter().all(|(method, (rule, _))| same(method, rule))
    }
}

fn assemble(groups: &BTreeMap<String, Group<'_>>, problems: &mut Vec<ConfigError>) -> Table {
    let is_folded = |(folded, group): (&String, &Group<'_>)| group.spellings.iter().all(|one| one.exact == *folded);
    let mut table = Table {
        folded: Router::new(),
        exact: (!groups.iter().all(is_folded)).then(Router::new),
        groups: Vec::with_capacity(groups.len()),
    };
    for (index, (folded, group)) in groups.iter().enumerate() {
        let mut rules = MethodRules::default();
        for (method, (_, rule)) in group.spellings.iter().take(1).flat_map(|spelling| &spelling.rules) {
            rules.insert(*method, Arc::clone(rule));
        }
        table.groups.push(rules);
        let conflict = table.folded.insert(folded, index).err();
        problems.extend(conflict.map(|error| describe(&error, group, groups)));
        let Some(exact) = &mut table.exact else { continue };
        for spelling in &group.spellings {
            // a conflict here is one of the folded spellings too, and was reported
            let _ = exact.insert(&spelling.exact, index);
        }
    }
    table
}

fn describe(error: &InsertError, group: &Group<'_>, groups: &BTreeMap<String, Group<'_>>) -> ConfigError {
    let written = |group: &Group<'_>| group.spellings.first().map_or_else(String::new, |one| one.pattern.to_owned());
    let ours = written(group);
    match error {
        InsertError::Conflict { with } => {
            let theirs = groups.get(with).map_or_else(|| with.clone(), written);
            ConfigError::new(format!(
                "`{ours}` and `{theirs}` match the same paths and neither is more exact: put a literal segment in one"
            ))
        }
        other => ConfigError::new(format!("`{ours}`: {other}")),
    }
}
