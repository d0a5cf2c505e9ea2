//! From `[errors]` to the style of refusals.

use auth_core::Rejection;
use auth_core::reply::{self, ErrorStyle, Shape};

use crate::config::{CodeStyle, ErrorShape, Errors, nearest};
use crate::problem::{Placed, Problem};

pub(super) fn style(errors: &Errors) -> Result<ErrorStyle, Vec<Problem>> {
    let shape = match errors.shape {
        ErrorShape::Problem => Shape::Problem,
        ErrorShape::OAuth => Shape::OAuth,
        ErrorShape::Nested => Shape::Nested,
        ErrorShape::NestedWithDetails => Shape::NestedWithDetails,
        ErrorShape::Flat => Shape::Flat,
        ErrorShape::Stamped => Shape::Stamped,
    };
    let mut style = ErrorStyle::new(shape);
    match errors.code_style {
        None => {}
        Some(CodeStyle::Snake) => style = style.codes(reply::CodeStyle::Snake),
        Some(CodeStyle::UpperSnake) => style = style.codes(reply::CodeStyle::UpperSnake),
    }
    let mut problems = Vec::new();
    for (cause, code) in &errors.codes {
        match style.clone().code(&cause.value, code.as_str()) {
            Ok(changed) => style = changed,
            Err(error) => problems.push(unknown(cause, error.to_string())),
        }
    }
    for (cause, message) in &errors.messages {
        match style.clone().message(&cause.value, message.as_str()) {
            Ok(changed) => style = changed,
            Err(error) => problems.push(unknown(cause, error.to_string())),
        }
    }
    if let Some(realm) = &errors.realm {
        match style.clone().realm(realm.value.as_str()) {
            Ok(changed) => style = changed,
            Err(error) => problems.push(realm.place.problem(error.to_string())),
        }
    }
    if problems.is_empty() { Ok(style) } else { Err(problems) }
}

fn unknown(cause: &Placed<String>, message: String) -> Problem {
    let hint = nearest(&cause.value, Rejection::causes());
    cause.place.problem(hint.map_or(message, |meant| format!("no refusal has this cause: did you mean `{meant}`?")))
}
