/// One piece of a path part's pattern. The pieces are those of the regular expression that minimatch
/// would write, because some of its rules speak of that expression ("the rest behind this bracket").
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// This UTF-16 unit.
    Literal(u16),
    /// `?`: one unit.
    AnyUnit,
    /// `*`: units, or none.
    AnyRun,
    /// `[…]`.
    Class(Class),
    /// Opens a group.
    Open(Opener),
    /// Closes the innermost group.
    Close(Quantifier),
    /// `|` in a group.
    Or,
    /// The end of the name.
    End,
    /// The name must have something left here.
    NotEmpty,
    /// The whole name is neither `.` nor `..`.
    NotDots,
}

/// What a group does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opener {
    /// Its content is consumed.
    Group,
    /// Its content must not follow here; nothing is consumed.
    Refuse,
}

/// How often a group may follow itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    Once,
    Optional,
    Any,
    AtLeastOnce,
}

/// A set of units: `[a-z]`, `[!a-z]`, `[^a-z]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Class {
    pub(super) negated: bool,
    pub(super) ranges: Vec<(u16, u16)>,
}

impl Class {
    /// Reads what stands between `[` and `]`. `None`: a range runs backwards.
    ///
    /// `literal_dash` says whether an escaped dash is a member (as in a regular expression) or still makes
    /// a range (as in what minimatch makes of it).
    pub(super) fn parse(content: &[u16], literal_dash: bool) -> Option<Self> {
        let negated = matches!(content.first(), Some(&first) if first == unit('!') || first == unit('^'));
        let members = members(content.get(usize::from(negated)..).unwrap_or_default(), literal_dash);
        let mut ranges = Vec::new();
        let mut rest = members.as_slice();
        while let [(low, _), tail @ ..] = rest {
            if let [(_, true), (high, _), tail @ ..] = tail {
                if low > high {
                    return None;
                }
                ranges.push((*low, *high));
                rest = tail;
            } else {
                ranges.push((*low, *low));
                rest = tail;
            }
        }
        Some(Self { negated, ranges })
    }

    /// Whether the unit is in the set, in any of the given spellings.
    pub(super) fn contains(&self, spellings: &[u16]) -> bool {
        let listed = self
            .ranges
            .iter()
            .any(|(low, high)| spellings.iter().any(|spelling| (low..=high).contains(&spelling)));
        listed != self.negated
    }
}

/// The members, each with whether it is a dash that makes a range.
fn members(content: &[u16], literal_dash: bool) -> Vec<(u16, bool)> {
    let mut members = Vec::new();
    let mut escaped = false;
    for &member in content {
        if member == unit('\\') && !escaped {
            escaped = true;
            continue;
        }
        members.push((member, member == unit('-') && !(escaped && literal_dash)));
        escaped = false;
    }
    members
}

/// The unit of a character of the basic plane.
pub(super) const fn unit(character: char) -> u16 {
    // Only ever called with ASCII characters.
    character as u16
}
