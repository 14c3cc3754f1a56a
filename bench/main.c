/* main.c - runs the loads that are asked for; see README.md. */
#include "loads.h"
#include "peers.h"

#include <stdio.h>

static const struct {
    const char *name;
    void (*run)(void);
} loads[] = {
    {"one-argument", load_one_argument},
    {"names", load_names},
    {"next-method", load_next_method},
    {"many-arguments", load_many_arguments},
    {"changes", load_changes},
    {"scaling", load_scaling},
    {"memory", load_memory},
    {"contention", load_contention},
    {"attributes", load_attributes},
    {"attribute-policies", load_attribute_policies},
    {"paper", load_paper},
    {"attribute-memory", load_attribute_memory},
    {"attribute-changes", load_attribute_changes},
};

int main(int argc, char **argv)
{
    int status = 0;
    char peers[200];

    (void)snprintf(peers, sizeof peers, "C++ %s, GObject %s, Objective-C %s",
                   bench_cpp_version(), bench_gobject_version(),
                   bench_objc_version());
    if (!bench_open(argc, argv, peers, &status))
        return status;
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
        if (bench_wanted(loads[i].name))
            loads[i].run();
    bench_close();
    return 0;
}
