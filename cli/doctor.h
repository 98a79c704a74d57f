// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * doctor - findings about this machine and these settings: what a start would stop at, and what it would not
 * notice. Nothing is changed but for the data folder, which is made.
 */

#include "cli/program.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };
enum { FINDINGS_MAX = 64 };

struct finding {
	const char *name;
	enum verdict verdict;
	struct text detail;
};

struct doctor {
	struct command *command;
	struct program program;
	struct finding findings[FINDINGS_MAX];
	size_t count;
};

void doctor_find(struct doctor *doctor, const char *name, enum verdict verdict, struct text detail);
/* doctor_files.c: the signing key in use; who may read what holds secrets. */
void doctor_check_files(struct doctor *doctor);
/* doctor_ports.c: can the listeners be opened, or is the server there already? */
void doctor_check_ports(struct doctor *doctor);
