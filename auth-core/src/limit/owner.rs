//! What tells budgets apart.

use std::fmt;

use super::{Facts, Limit, Network, Quota, Scope};

/// One thing that a budget is told apart by.
enum Part<'a> {
    Text(&'a str),
    Network(Option<Network>),
}

impl Limit {
    /// The parts that tell this budget apart, each with the letter it has in the text.
    #[inline]
    fn each_part<'f>(scope: Scope, facts: &Facts<'f>, mut visit: impl FnMut(char, Part<'f>)) {
        let (issuer, subject) = facts.principal.unwrap_or_default();
        let mut text = |part: Scope, letter: char, text: Option<&'f str>| {
            if scope.covers(part) {
                visit(letter, Part::Text(text.unwrap_or_default()));
            }
        };
        text(Scope::PRINCIPAL, 'i', Some(issuer));
        text(Scope::PRINCIPAL, 's', Some(subject));
        text(Scope::CREDENTIAL, 'k', Some(issuer));
        text(Scope::CREDENTIAL, 'c', facts.credential);
        text(Scope::TENANT, 't', facts.tenant);
        text(Scope::PLAN, 'p', facts.plan);
        text(Scope::ROUTE, 'r', facts.route);
        if scope.covers(Scope::NETWORK) {
            visit('n', Part::Network(facts.network));
        }
    }

    /// Tells what this budget is told apart by; no two budgets tell the same.
    ///
    /// What is told first says which texts will follow.
    pub(crate) fn tell_owner(&self, facts: &Facts<'_>, told: &mut impl Told) {
        let (scope, (count, per)) = (self.scope.present_in(facts), self.quota.kind());
        told.numbers(u64::from(count) << 8 | u64::from(scope.0), per);
        told.text(&self.name);
        Self::each_part(scope, facts, |_, part| match part {
            Part::Text(text) => told.text(text),
            Part::Network(network) => {
                let (kind, bits) = network.map_or((0, 0), Network::numbers);
                told.numbers(kind, bits);
            }
        });
    }

    /// The budget's name as text, for stores that keep budgets by name; no two budgets have the same.
    ///
    /// It holds what tells the owner apart as it is, so a store that others can read should keep a keyed hash of it.
    pub fn budget<'a>(&'a self, facts: &'a Facts<'a>) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            match self.quota {
                Quota::Rate(_) => {
                    let (count, per) = self.quota.kind();
                    write!(f, "{}:{count}/{per}", Escaped(&self.name))?;
                }
                Quota::Allowance(allowance) => write!(f, "{}:{}", Escaped(&self.name), allowance.period())?,
            }
            let mut written = Ok(());
            Self::each_part(self.scope.present_in(facts), facts, |letter, part| {
                written = written.and_then(|()| match part {
                    Part::Text(text) => write!(f, ":{letter}={}", Escaped(text)),
                    Part::Network(Some(network)) => write!(f, ":{letter}={}", Escaped(&network.to_string())),
                    Part::Network(None) => write!(f, ":{letter}"),
                });
            });
            written
        })
    }
}

/// Who is told what tells budgets apart.
pub(crate) trait Told {
    /// Two numbers.
    fn numbers(&mut self, one: u64, other: u64);
    /// One text, whole.
    fn text(&mut self, text: &str);
}

/// A text without the characters that part a budget's name; `%` and the two digits of their codes instead.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_special = |character: char| matches!(character, '%' | ':' | '=' | ' ') || character.is_ascii_control();
        let mut rest = self.0;
        while let Some(at) = rest.find(is_special) {
            let (plain, special) = rest.split_at(at);
            write!(f, "{plain}%{:02X}", special.as_bytes().first().copied().unwrap_or_default())?;
            rest = special.get(1..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts<'_> = Facts {
        principal: Some(("https://issuer", "alice")),
        credential: Some("key:1"),
        tenant: Some("acme"),
        plan: Some("pro"),
        route: Some("/v1/{id}"),
        network: None,
    };

    fn name(scope: &str, facts: &Facts<'_>) -> String {
        let quota = "10/s".parse().unwrap();
        Limit::new("per second", quota, scope.parse().unwrap()).budget(facts).to_string()
    }

    #[test]
    fn a_budget_has_one_name() {
        let facts = Facts { network: Some(Network::of("192.0.2.7".parse().unwrap())), ..FACTS };
        for (scope, expected) in [
            ("principal", ":i=https%3A//issuer:s=alice"),
            ("key", ":k=https%3A//issuer:c=key%3A1"),
            ("tenant+route", ":t=acme:r=/v1/{id}"),
            ("plan + address", ":p=pro:n=192.0.2.7"),
            ("everybody", ""),
        ] {
            assert_eq!(name(scope, &facts), format!("per%20second:10/1000000000{expected}"));
        }
        let v6 = Facts { network: Some(Network::of("2001:db8::7".parse().unwrap())), ..FACTS };
        assert!(name("address", &v6).ends_with(":n=2001%3Adb8%3A%3A/64"));
    }

    #[test]
    fn nobody_escapes_a_limit_by_lacking_something() {
        let bare = Facts { credential: None, tenant: None, ..FACTS };
        assert_eq!(name("tenant", &bare), name("principal", &bare));
        assert_eq!(name("key", &bare), name("principal", &bare));
        let anonymous = Facts { network: Some(Network::of("192.0.2.7".parse().unwrap())), ..Facts::default() };
        assert_eq!(name("tenant+route", &anonymous), name("address+route", &anonymous));
        assert_eq!(name("principal", &Facts::default()), name("address", &Facts::default()));
    }

    /// What was told.
    #[derive(Default)]
    struct Heard(Vec<(u64, u64, String)>);

    impl Told for Heard {
        fn numbers(&mut self, one: u64, other: u64) {
            self.0.push((one, other, String::new()));
        }

        fn text(&mut self, text: &str) {
            self.0.push((0, 0, text.to_owned()));
        }
    }

    #[test]
    fn what_is_told_differs_wherever_the_name_differs() {
        let mut seen = std::collections::BTreeMap::new();
        let texts = [None, Some(""), Some("a"), Some("ab"), Some("b")];
        let quotas = [
            "1/s",
            "1/s burst 5",
            "2/s",
            "1/m",
            "1/calendar hour",
            "2/calendar hour",
            "1/calendar day",
            "1/calendar month",
        ];
        for bits in 0..64_u8 {
            for (first, second) in texts.iter().flat_map(|first| texts.iter().map(move |second| (*first, *second))) {
                for (quota, policy) in quotas.iter().flat_map(|quota| [(*quota, "a"), (*quota, "")]) {
                    let facts = Facts {
                        principal: first.zip(second),
                        credential: second,
                        tenant: first,
                        route: second,
                        network: first.map(|_| Network::of("192.0.2.7".parse().unwrap())),
                        plan: None,
                    };
                    let limit = Limit::new(policy, quota.parse().unwrap(), Scope(bits));
                    let mut heard = Heard::default();
                    limit.tell_owner(&facts, &mut heard);
                    let name = limit.budget(&facts).to_string();
                    assert_eq!(seen.entry(heard.0).or_insert_with(|| name.clone()), &name);
                }
            }
        }
        let names: std::collections::BTreeSet<_> = seen.values().collect();
        assert_eq!(names.len(), seen.len());
    }
}
