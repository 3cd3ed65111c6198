//! The DM session engine: messages in, messages out. Holds no socket, thread or clock.
