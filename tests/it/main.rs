//! The one integration binary: each file of this folder is a topic.

mod storage;
