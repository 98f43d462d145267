/* Turning the command line into a config. */
#ifndef SOCKCAT_CLI_COMMAND_H
#define SOCKCAT_CLI_COMMAND_H

#include "base/fault.h"
#include "cli/compat.h"
#include "cli/operands.h"
#include "cli/options.h"
#include "engine/config.h"

enum command {
	COMMAND_RUN,  /* run the config */
	COMMAND_DONE, /* help, formats or version were printed */
	COMMAND_BAD   /* the fault is set */
};

/*
 * The config is zeroed before. It points into argv, which is modified and must outlive it; the
 * caller closes the config in any case. `input_closed`: standard input was closed at the start.
 */
enum command command_parse(
	struct config *config, int argc, char *argv[], bool input_closed, struct fault *fault);

/* --- its parts, in files of their own --- */

/* Fills config->frames; config->transport has to be set. Status 2, 3 or 4. */
bool frames_config(struct config *config, const struct options *options, struct fault *fault);

/* Fills config->program; the program has to exist before the first client connects. Status 27, 126
 * or 127. */
bool program_config(struct config *config, const struct options *options, struct fault *fault);

/* Fills the access lists and the permissions of a Unix socket; the endpoint has to be set. Status
 * 2, 3, 26 or 27. */
bool access_config(struct config *config, const struct options *options, struct fault *fault);

/* Adds the targets of a probe. Status 3 or 27. */
bool probes_targets(struct config *config, const struct options *options,
	const struct operands *operands, struct fault *fault);

/* Fills config->scan, and adds the endpoint as a target if there is none. Status 27. */
bool probes_config(struct config *config, const struct options *options, struct fault *fault);

/* Adds the options that --wait-for and --ping imply. */
void repeat_imply(struct options *options);

/* Fills config->repeat; config->targets has to be set. Status 2 or 3. */
bool repeat_config(struct config *config, const struct options *options, struct fault *fault);

/* Sets the time limits; the mode, transport and end of session have to be set. */
void times_config(
	struct config *config, const struct compat *compat, const struct options *options);

/* Sets the stages of the flows; the mode, service and end of session have to be set. Status 3
 * or 27.
 */
bool stages_config(struct config *config, const struct options *options, struct fault *fault);

/* The value of a time option; `otherwise`: it was not given. */
int64_t times_option(const struct options *options, enum option_id option, int64_t otherwise);

/* Fills config->report and config->stats. Status 3. */
bool reports_config(struct config *config, const struct options *options, struct fault *fault);

/* Fills config->files, and opens files as standard input and output; the end of session has to be
 * set. Status 2, 3, 23, 26 or 27. */
bool files_config(struct config *config, const struct options *options, struct fault *fault);

/* Skips the input of --offset, last of all: it may wait for input. */
bool files_skip(const struct config *config, const struct options *options, struct fault *fault);

/* Fills config->hosts, before names are parsed. Status 3 or 27. */
bool connecting_hosts(struct config *config, const struct options *options, struct fault *fault);

/* Fills config->retry. Status 2 or 3. */
bool connecting_config(struct config *config, const struct options *options, struct fault *fault);

/* Fills config->transfer but for its time. Status 2, 23, 26 or 27. */
bool transfer_config(struct config *config, const struct options *options, struct fault *fault);

/* Fills config->proxies; the targets and the end of session have to be set, which it may change.
 * Status 2, 3, 4 or 27. */
bool proxies_config(struct config *config, const struct options *options, struct fault *fault);

/* Fills config->header; the transports have to be set. Status 2 or 3. */
bool headers_config(struct config *config, const struct options *options, struct fault *fault);
/* Sets --proxy-server if --proxy-type implies it. */
void serve_proxy_imply(struct options *options);

/* Fills config->proxy_server. Status 2, 3, 26 or 27. */
bool serve_proxy_config(struct config *config, const struct options *options, struct fault *fault);

/* Adds --ssl if --starttls of a client is given. */
void tls_imply(struct options *options);

/* Fills config->tls and that of --to for the sides that use TLS: opens the plug-in and loads
 * certificates. The endpoint and config->to have to be set. Status 2, 3, 4, 27 or 58. */
bool tls_config(struct config *config, const struct options *options, struct fault *fault);

/* The options of that program for directories in the protocol, and whether it is there. Status 4
 * or 27. */
bool archive_options(
	struct config_transfer *transfer, const struct options *options, struct fault *fault);
bool archive_is_installed(struct fault *fault);

/* --tar: the program that sends or receives an archive (archive.c). */
bool archive_config(struct config *config, const struct options *options, struct fault *fault);

/* Fills config->to if --to is given. Status 2 or 3. */
bool target_config(struct config *config, const struct options *options, struct fault *fault);

#endif
