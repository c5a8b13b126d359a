//! Reading JSON strictly before anything believes it.
