/* options.h - what the command line of train says. */
#ifndef TRAINING_OPTIONS_H
#define TRAINING_OPTIONS_H

#include "models.h"

typedef struct options {
    const char *model; /* a name, or the file of a plug-in */
    const char *device;
    const char *data;
    const char *activation;
    const char *plugins[8];
    size_t plugin_count;
    const char *optimizer; /* "adam", "sgd" */
    double rate, momentum, decay, clip, dropout;
    int64_t steps, epochs, batch, context, width, depth, warmup;
    uint64_t seed;
    const char *checkpoint; /* written at the end and every `every` steps */
    int64_t every;
    bool resume;
    const char *load;    /* weights to begin with */
    const char *batches; /* a file of batches instead of the data */
    const char *losses;  /* each step's, at full precision */
    const char *trace;   /* a profile's file; NULL: no profile */
    bool profile;
    const char *curve;
    bool constant; /* the rate stays */
    bool quiet;
} options;

/* Reads the command line. Returns -1 to go on, else the exit status of the
 * program (help was asked for, or something is wrong). */
int options_read(options *o, int argc, char **argv);

#endif
