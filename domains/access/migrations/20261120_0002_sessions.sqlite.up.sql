CREATE TABLE sessions (
	id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
	user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at INTEGER NOT NULL,
	last_used_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	revoked_at INTEGER,
	revoked_reason TEXT,
	user_agent TEXT CHECK (length(user_agent) <= 256),
	address TEXT CHECK (length(address) <= 64)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_user_index ON sessions (user_id);

-- One row per token that was ever given out; the row that is not used yet is the session's living one.
CREATE TABLE refresh_tokens (
	token_hash BLOB NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
	session_id BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	used_at INTEGER,
	used_by BLOB CHECK (length(used_by) = 32),
	successor_salt BLOB CHECK (length(successor_salt) = 16)
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_session_index ON refresh_tokens (session_id);
