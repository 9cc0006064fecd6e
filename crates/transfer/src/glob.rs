//! File patterns as the AWS Toolkit's users know them: minimatch 3 with `dot: true`, `nobrace: true` and
//! extended globs, in ordered lists with comments and excludes (azure-pipelines-task-lib `match`).
//!
//! What a pattern means follows minimatch 3 to the letter, oddities included, because pipelines were
//! written against it. Notably: it knows no POSIX classes (`[[:alpha:]]` is the class `[:alph` and a `]`),
//! `?` is one UTF-16 unit, `**` at the end asks for at least one more path part, and a star directly
//! before a bracket that closes nothing changes place with it.
//!
//! Matching is done here and not by a regular expression library: the negated lists (`!(a|b)`) need
//! look-ahead, which engines that promise linear time do not have, and backtracking ones take exponential
//! time on `+(+(a|aa))`. [`machine`] walks the pattern with the set of positions reached, so its time is
//! polynomial whatever the pattern and the name.

mod expression;
mod list;
mod machine;
mod negation;
mod pattern;
mod scan;
mod token;

pub use list::{InvalidPattern, PatternList};
