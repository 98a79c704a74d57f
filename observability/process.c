// SPDX-License-Identifier: Apache-2.0
#include "observability/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observability/metrics.h"

static const struct metric build_info = {
	.name = "millrace_build_info",
	.kind = METRIC_GAUGE,
	.help = "Always 1; the labels tell version and commit of the binary.",
	.labels = {"version", "commit"},
};
static const struct metric cpu_seconds = {
	.name = "process_cpu_seconds_total",
	.kind = METRIC_COUNTER,
	.help = "User and system time of all threads, in seconds.",
};
static const struct metric resident_memory = {
	.name = "process_resident_memory_bytes",
	.kind = METRIC_GAUGE,
	.help = "Memory that is in RAM, in bytes.",
};
static const struct metric virtual_memory = {
	.name = "process_virtual_memory_bytes",
	.kind = METRIC_GAUGE,
	.help = "Address space in use, in bytes.",
};
static const struct metric open_fds = {
	.name = "process_open_fds",
	.kind = METRIC_GAUGE,
	.help = "Open file descriptors.",
};
static const struct metric max_fds = {
	.name = "process_max_fds",
	.kind = METRIC_GAUGE,
	.help = "How many file descriptors may be open (RLIMIT_NOFILE).",
};
static const struct metric start_time = {
	.name = "process_start_time_seconds",
	.kind = METRIC_GAUGE,
	.help = "When the process started, in Unix time.",
};
static const struct metric threads = {
	.name = "process_threads",
	.kind = METRIC_GAUGE,
	.help = "Threads of the process.",
};

/* A whole file of /proc, terminated; false when it cannot be read. */
static bool read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	out[len < 0 ? 0 : len] = '\0';
	return len > 0;
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double read_cpu_seconds(void *context)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

/* /proc/self/statm: pages of address space, then pages in RAM (proc(5)). */
static double read_pages(bool resident)
{
	char text[256];
	char *rest = NULL;

	if (!read_file("/proc/self/statm", text, sizeof(text)))
		return 0;

	unsigned long long space = strtoull(text, &rest, 10);
	unsigned long long in_ram = strtoull(rest, NULL, 10);

	return (double)(resident ? in_ram : space) * (double)sysconf(_SC_PAGESIZE);
}

static double read_resident_memory(void *context)
{
	return read_pages(true);
}

static double read_virtual_memory(void *context)
{
	return read_pages(false);
}

static double count_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	double count = 0;

	if (folder == NULL)
		return 0;
	while ((entry = readdir(folder)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count - 1; /* the folder's own */
}

static double read_open_fds(void *context)
{
	struct stat status;

	/* Since Linux 6.2 the folder's size is the count; counting 20,000 entries takes milliseconds. */
	if (stat("/proc/self/fd", &status) == 0 && status.st_size > 0)
		return (double)status.st_size;
	return count_fds();
}

static double read_max_fds(void *context)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (double)limit.rlim_cur : 0;
}

/* Field `number` of /proc/self/stat, counted from 1 (proc(5)). The second, the name in parentheses, may
 * hold anything, so counting begins behind its end. */
static double read_stat_field(unsigned number)
{
	char text[1024];
	char *at;

	if (!read_file("/proc/self/stat", text, sizeof(text)))
		return 0;
	at = strrchr(text, ')');
	for (unsigned field = 2; at != NULL && field < number; field++)
		at = strchr(at + 1, ' ');
	return at == NULL ? 0 : strtod(at, NULL);
}

static double read_threads(void *context)
{
	return read_stat_field(20);
}

/* The line "btime N" of /proc/stat: when the machine started, in Unix time. */
static double read_boot_time(void)
{
	FILE *file = fopen("/proc/stat", "re");
	char line[256];
	double boot_time = 0;

	if (file == NULL)
		return 0;
	while (boot_time == 0 && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "btime ", 6) == 0)
			boot_time = strtod(line + 6, NULL);
	fclose(file);
	return boot_time;
}

static double one(void *context)
{
	return 1;
}

/* It never changes: read once, held by a shard of its own. */
static void expose_start_time(struct metrics *metrics)
{
	struct metric_shard *shard = metric_shard_new(metrics);
	double ticks = read_stat_field(22);

	metric_set(shard, metric_series(metrics, &start_time, METRIC_NO_LABELS),
		read_boot_time() + ticks / (double)sysconf(_SC_CLK_TCK));
}

void process_expose(struct metrics *metrics, const char *version, const char *commit)
{
	metric_gauge_callback(metrics, &build_info,
		METRIC_LABELS(text_from_c(version), text_from_c(commit)), one, NULL);
	metric_gauge_callback(metrics, &cpu_seconds, METRIC_NO_LABELS, read_cpu_seconds, NULL);
	metric_gauge_callback(
		metrics, &resident_memory, METRIC_NO_LABELS, read_resident_memory, NULL);
	metric_gauge_callback(
		metrics, &virtual_memory, METRIC_NO_LABELS, read_virtual_memory, NULL);
	metric_gauge_callback(metrics, &open_fds, METRIC_NO_LABELS, read_open_fds, NULL);
	metric_gauge_callback(metrics, &max_fds, METRIC_NO_LABELS, read_max_fds, NULL);
	metric_gauge_callback(metrics, &threads, METRIC_NO_LABELS, read_threads, NULL);
	expose_start_time(metrics);
}
