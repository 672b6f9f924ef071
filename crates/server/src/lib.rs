//! HTTP, pipeline and jobs
