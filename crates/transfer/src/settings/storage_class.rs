use std::str::FromStr;

/// A storage class of S3 that an object can be put into (API `PutObject`, `x-amz-storage-class`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "these are the API's own names")]
pub enum StorageClass {
    #[default]
    Standard,
    StandardIa,
    ReducedRedundancy,
    OnezoneIa,
    IntelligentTiering,
    Glacier,
    GlacierIr,
    DeepArchive,
    ExpressOnezone,
}

/// The text is not the name of a storage class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a storage class of S3 (one of {known})", known = StorageClass::ALL.map(StorageClass::name).join(", "))]
pub struct UnknownStorageClass(String);

impl StorageClass {
    const ALL: [Self; 9] = [
        Self::Standard,
        Self::StandardIa,
        Self::ReducedRedundancy,
        Self::OnezoneIa,
        Self::IntelligentTiering,
        Self::Glacier,
        Self::GlacierIr,
        Self::DeepArchive,
        Self::ExpressOnezone,
    ];

    /// The API's name, such as `STANDARD_IA`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::StandardIa => "STANDARD_IA",
            Self::ReducedRedundancy => "REDUCED_REDUNDANCY",
            Self::OnezoneIa => "ONEZONE_IA",
            Self::IntelligentTiering => "INTELLIGENT_TIERING",
            Self::Glacier => "GLACIER",
            Self::GlacierIr => "GLACIER_IR",
            Self::DeepArchive => "DEEP_ARCHIVE",
            Self::ExpressOnezone => "EXPRESS_ONEZONE",
        }
    }
}

impl FromStr for StorageClass {
    type Err = UnknownStorageClass;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|class| class.name() == text);
        known.ok_or_else(|| UnknownStorageClass(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for class in StorageClass::ALL {
            assert_eq!(class.name().parse::<StorageClass>().unwrap(), class);
        }
        assert!("standard".parse::<StorageClass>().unwrap_err().to_string().contains("STANDARD_IA"));
    }
}
