//! Why a call gave no response.

/// Why a call gave no response. The texts are for the log: they may name the component's insides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The component stopped: it panicked, ran out of memory, or broke the interface's rules.
    #[error("the component trapped: {0}")]
    Trap(String),
    /// The component did not answer within the request timeout.
    #[error("the component did not answer in time")]
    Deadline,
    /// No place became free in time, or no instance can be made.
    #[error("too many calls are under way")]
    Overloaded,
    /// The component answered with something that is not an HTTP response.
    #[error("the component's answer is not usable: {0}")]
    BadResponse(String),
}

impl CallError {
    pub(crate) fn trap(error: &wasmtime::Error) -> Self {
        Self::Trap(format!("{error:#}"))
    }

    /// Sorts a failed instantiation: the pool is full, or the component does not start.
    pub(crate) fn instantiation(error: &wasmtime::Error) -> Self {
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            Self::Overloaded
        } else {
            Self::trap(error)
        }
    }
}
