use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

/// Lets the SDK try again what was answered with HTTP 429, whatever stands in the answer. By itself it knows only AWS's own
/// throttling codes, and gives up at once where a proxy or load balancer on the way answers.
///
/// Every client gets it (`Builder::retry_classifier`).
#[derive(Debug, Clone, Copy, Default)]
pub struct TooManyRequests;

impl ClassifyRetry for TooManyRequests {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|response| response.status().as_u16()) {
            Some(429) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "TooManyRequests"
    }
}
