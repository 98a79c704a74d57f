CREATE TABLE users (
	id uuid PRIMARY KEY,
	email text NOT NULL CONSTRAINT users_email_unique UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
	name text CHECK (length(name) BETWEEN 1 AND 200),
	password_hash text NOT NULL,
	role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
	status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
	status_reason text CHECK (length(status_reason) BETWEEN 1 AND 500),
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	last_login_at timestamptz,
	password_changed_at timestamptz NOT NULL
);

-- users(email) is indexed by its constraint. The id ends the order of rows made in one millisecond.
CREATE INDEX users_created_at_index ON users (created_at DESC, id DESC);
CREATE INDEX users_admins_index ON users (id) WHERE role = 'admin';
