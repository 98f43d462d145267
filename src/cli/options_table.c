/* The tables made from options.def; see options.h. */
#include "cli/options.h"

/* The types of the table; all kinds of text are one type here. */
#define TYPE_FLAG OPTION_FLAG
#define TYPE_TIME OPTION_TIME
#define TYPE_SIZE OPTION_SIZE
#define TYPE_COUNT OPTION_DECIMAL
#define TYPE_NUMBER OPTION_NUMBER
#define TYPE_ENUM OPTION_ENUM
#define TYPE_OPTIONAL OPTION_OPTIONAL
#define TYPE_PORT OPTION_TEXT
#define TYPE_HOST OPTION_TEXT
#define TYPE_INTERFACE OPTION_TEXT
#define TYPE_USER OPTION_TEXT
#define TYPE_FILE OPTION_TEXT
#define TYPE_PROGRAM OPTION_TEXT
#define TYPE_STRING OPTION_TEXT

#define SHOWN_SHORT true
#define SHOWN_ALL false

const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION(id, name, letter, type, argument, min, max, group, shown, repeat, classes, \
	excludes, needs, feature, help) \
	[OPTION_##id] = { #id, name, letter, TYPE_##type, argument, min, max, \
		OPTION_GROUP_##group, SHOWN_##shown, OPTION_##repeat, classes, excludes, needs, \
		SYS_FEATURE_##feature, help },
#include "cli/options.def"
};

const struct option_class_row option_classes[OPTION_CLASSES] = {
#define CLASS(id, excludes) [OPTION_CLASS_##id] = { #id, excludes },
#include "cli/options.def"
};

const struct option_group_row option_groups[OPTION_GROUPS] = {
#define GROUP(id, topic, title) [OPTION_GROUP_##id] = { topic, title },
#include "cli/options.def"
};
