use std::collections::HashSet;

use super::{Pipeline, PipelineError};

/// That names are there once, and that whatever depends on something comes after it: a file is run from top to bottom.
pub(super) fn check(pipeline: &Pipeline) -> Result<(), PipelineError> {
    let stages = pipeline.stages.iter().map(|stage| (stage.name.as_str(), stage.depends_on.as_slice()));
    in_order("stage", stages)?;
    pipeline.stages.iter().try_for_each(|stage| {
        in_order("job", stage.jobs.iter().map(|job| (job.name.as_str(), job.depends_on.as_slice())))
    })
}

fn in_order<'a>(
    kind: &str,
    all: impl Iterator<Item = (&'a str, &'a [String])>,
) -> Result<(), PipelineError> {
    let mut known = HashSet::new();
    for (name, depends_on) in all {
        if let Some(missing) = depends_on.iter().find(|wanted| !known.contains(wanted.as_str())) {
            let message = format!("{kind} {name} depends on {missing}, which does not stand before it");
            return Err(PipelineError::Name(message));
        }
        if !known.insert(name) {
            return Err(PipelineError::Name(format!("{kind} {name} is there twice")));
        }
    }
    Ok(())
}
