/// Whether something holds: yes, no, or it depends on what is not known here. The words say on what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    Unknown(Vec<String>),
}

impl Truth {
    pub(super) fn unknown(about: impl Into<String>) -> Self {
        Self::Unknown(vec![about.into()])
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown @ Self::Unknown(_) => unknown,
        }
    }

    /// Yes if all are, no if one is not; what is unknown counts only where nothing decides without it.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::combine(parts, &Self::No, Self::Yes)
    }

    /// Yes if one is, no if none is.
    pub(super) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::combine(parts, &Self::Yes, Self::No)
    }

    fn combine(parts: impl IntoIterator<Item = Self>, deciding: &Self, otherwise: Self) -> Self {
        let mut open = Vec::new();
        for part in parts {
            match part {
                Self::Unknown(about) => open.extend(about),
                part if part == *deciding => return part,
                _ => {}
            }
        }
        open.dedup();
        if open.is_empty() { otherwise } else { Self::Unknown(open) }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}
