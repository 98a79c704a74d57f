CREATE TABLE sessions (
	id uuid PRIMARY KEY,
	user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at timestamptz NOT NULL,
	last_used_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	revoked_at timestamptz,
	revoked_reason text,
	user_agent text CHECK (length(user_agent) <= 256),
	address text CHECK (length(address) <= 64)
);

CREATE INDEX sessions_user_index ON sessions (user_id);

-- One row per token that was ever given out; the row that is not used yet is the session's living one.
CREATE TABLE refresh_tokens (
	token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
	session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
	created_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	used_at timestamptz,
	used_by bytea CHECK (length(used_by) = 32),
	successor_salt bytea CHECK (length(successor_salt) = 16)
);

CREATE INDEX refresh_tokens_session_index ON refresh_tokens (session_id);
