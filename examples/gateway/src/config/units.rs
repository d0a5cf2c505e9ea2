//! Numbers with a unit: durations and sizes.

use std::time::Duration;

use toml::de::DeValue;

use super::node::{FromNode, Node};

/// `"250ms"`, `"30s"`, `"5m"`, `"1h"`, `"7d"`.
impl FromNode for Duration {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        const FORM: &str = "a duration such as \"250ms\", \"30s\", \"5m\", \"1h\" or \"7d\"";
        let DeValue::String(text) = node.value() else { return node.wrong_type(FORM) };
        match duration(text) {
            Some(duration) => Some(duration),
            None => node.problem(format!("`{}` is not {FORM}", text.escape_debug())),
        }
    }
}

/// A number and a unit: `250ms`, `30s`, `5m`, `1h`, `7d`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    /// A hundred years: more is a slip, and so no arithmetic on it can overflow.
    const LONGEST: u64 = 36_525 * 86_400_000;
    let (number, unit) = split_unit(text)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let total = number.checked_mul(millis).filter(|total| *total <= LONGEST)?;
    Some(Duration::from_millis(total))
}

/// A duration above zero, for limits that nothing could meet otherwise.
pub(super) struct Span(pub(super) Duration);

impl FromNode for Span {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let duration = Duration::from_node(node)?;
        if duration.is_zero() {
            return node.problem("must be longer than nothing");
        }
        Some(Self(duration))
    }
}

/// A number of bytes: `"512B"`, `"64KiB"`, `"1MiB"`, `"2GiB"`.
pub(super) struct Size(pub(super) usize);

impl FromNode for Size {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        const FORM: &str = "a size such as \"512B\", \"64KiB\" or \"1MiB\"";
        let DeValue::String(text) = node.value() else { return node.wrong_type(FORM) };
        match size(text) {
            Some(0) => node.problem("must be more than nothing"),
            Some(size) => Some(Self(size)),
            None => node.problem(format!("`{}` is not {FORM}", text.escape_debug())),
        }
    }
}

fn size(text: &str) -> Option<usize> {
    let (number, unit) = split_unit(text)?;
    let factor: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    usize::try_from(number.checked_mul(factor)?).ok()
}

fn split_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_number_and_one_unit() {
        for (text, millis) in [
            ("250ms", Some(250)),
            ("30s", Some(30_000)),
            ("5m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("0s", Some(0)),
        ] {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        }
        for text in ["", "30", "s", "-1s", "+1s", "1.5s", " 30s", "30 s", "1h30m", "40000d", "99999999999999999999s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_binary() {
        for (text, bytes) in [("512B", Some(512)), ("64KiB", Some(65_536)), ("1MiB", Some(1_048_576))] {
            assert_eq!(size(text), bytes, "{text}");
        }
        for text in ["64KB", "64", "KiB", "1kib", "99999999999GiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
