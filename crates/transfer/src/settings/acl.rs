use std::str::FromStr;

/// A canned ACL (S3 User Guide, "Canned ACL"), by the names that the AWS Toolkit offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CannedAcl {
    /// Only the owner: what S3 gives an object of which nothing is said.
    #[default]
    Private,
    /// Everybody may read.
    PublicRead,
    /// Everybody may read and write.
    PublicReadWrite,
    /// Every AWS account may read.
    AuthenticatedRead,
    /// EC2 may read a machine image.
    AwsExecRead,
    /// The bucket's owner may read.
    BucketOwnerRead,
    /// The bucket's owner may do everything.
    BucketOwnerFullControl,
}

/// The text is not the name of a canned ACL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a canned ACL (one of {known})", known = CannedAcl::ALL.map(CannedAcl::name).join(", "))]
pub struct UnknownAcl(String);

impl CannedAcl {
    const ALL: [Self; 7] = [
        Self::Private,
        Self::PublicRead,
        Self::PublicReadWrite,
        Self::AuthenticatedRead,
        Self::AwsExecRead,
        Self::BucketOwnerRead,
        Self::BucketOwnerFullControl,
    ];

    /// The value of the header `x-amz-acl`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::PublicRead => "public-read",
            Self::PublicReadWrite => "public-read-write",
            Self::AuthenticatedRead => "authenticated-read",
            Self::AwsExecRead => "aws-exec-read",
            Self::BucketOwnerRead => "bucket-owner-read",
            Self::BucketOwnerFullControl => "bucket-owner-full-control",
        }
    }

    /// `private` is what an object gets anyway; said aloud, it is refused by buckets that have ACLs off.
    pub(crate) fn header(self) -> Option<&'static str> {
        (self != Self::Private).then(|| self.name())
    }
}

impl FromStr for CannedAcl {
    type Err = UnknownAcl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|acl| acl.name() == text);
        known.ok_or_else(|| UnknownAcl(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for acl in CannedAcl::ALL {
            assert_eq!(acl.name().parse::<CannedAcl>().unwrap(), acl);
        }
        let error = "public".parse::<CannedAcl>().unwrap_err().to_string();
        assert!(error.contains("public-read-write"), "{error}");
    }
}
