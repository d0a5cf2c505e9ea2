//! A configuration that may still have problems.

use std::path::Path;
use std::sync::Arc;

use super::reader::{Reader, Surroundings, Syntax};
use super::section::Gaps;
use super::{Config, coherence};
use crate::problem::{Place, Problem};

/// What could be read of a configuration, and what is wrong with it.
///
/// Whoever knows more than the language can look for further problems in a draft before all are reported.
#[derive(Clone, Debug)]
pub struct Draft {
    config: Config,
    problems: Vec<Problem>,
}

impl Draft {
    /// Reads a text; `file` is its name in problems.
    pub fn read(text: &str, file: &str, surroundings: Surroundings<'_>) -> Self {
        let file: Arc<str> = file.into();
        let reader = Reader::new(text, file.clone(), surroundings);
        let tree = reader.parse();
        let mut gaps = Gaps::default();
        let mut config = reader.walk(&tree, |section| Config::read(section, &mut gaps, file));
        drop(tree);
        config.files = reader.files();
        let is_whole = reader.syntax() == Syntax::Whole;
        let problems = reader.into_problems();
        let mut draft = Self { config, problems };
        if is_whole {
            let found = coherence::problems(&draft.config, &gaps);
            draft.add(found);
        }
        draft.bridge(&gaps);
        draft
    }

    /// Reads a file; that it cannot be read is a problem like others.
    ///
    /// # Errors
    /// The file cannot be read, or is no text.
    pub fn read_file(path: &Path) -> Result<Self, Problem> {
        let place = || Place::file(path.display().to_string());
        let bytes = std::fs::read(path).map_err(|error| place().problem(format!("cannot be read: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|_| place().problem("is not UTF-8"))?;
        let base_dir = path.parent().unwrap_or(Path::new(""));
        Ok(Self::read(&text, &path.display().to_string(), Surroundings::of_process(base_dir)))
    }

    /// What could be read.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Lets something be said otherwise, as the command line may.
    pub fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// Adds problems that were found elsewhere.
    pub fn add(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.problems.extend(problems);
        self.problems.sort_by_key(Problem::position);
    }

    /// The configuration, if nothing is wrong with it.
    ///
    /// # Errors
    /// Every problem, in the order of the file.
    pub fn finish(self) -> Result<Config, Vec<Problem>> {
        if self.problems.is_empty() { Ok(self.config) } else { Err(self.problems) }
    }

    /// Takes out what refers into gaps, so that nobody complains of it; the draft cannot be finished anyway.
    fn bridge(&mut self, gaps: &Gaps) {
        if gaps.are_in("plans") || !coherence::plans(&self.config).is_empty() {
            self.config.plans.clear();
            self.config.limits.name_no_plans();
        }
        if gaps.are_in("credentials") {
            self.config.routes.iter_mut().for_each(|route| route.credentials = None);
        }
    }
}
