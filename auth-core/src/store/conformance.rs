//! Checks that a store keeps its promises.
