// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * token_key_file - the signing key on disk, PKCS #8 in PEM. The server's own file is made once, readable by
 * its user only; of processes that start at the same time one makes it and all use it. Blocking: at the start only.
 */

#include "core/arena.h"
#include "core/text.h"

struct evp_pkey_st;

/* The private key in that file; NULL with a sentence in *error_out. The caller frees it (EVP_PKEY_free). */
struct evp_pkey_st *token_key_file_read(
	struct text path, struct arena *arena, struct text *error_out);
/* The key of data_dir/jwt_ed25519.pem, made now when there is none. */
struct evp_pkey_st *token_key_file_keep(
	struct text data_dir, struct arena *arena, struct text *error_out);
