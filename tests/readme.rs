//! Compiles the programs of README.md, as documentation examples of this otherwise empty library.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
