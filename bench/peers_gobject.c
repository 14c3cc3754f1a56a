/* peers_gobject.c - GObject: through the class structure, as class-private
 * virtual functions are called, and through an interface. */
#include "peers.h"

#ifdef BENCH_HAVE_GOBJECT
#include "gobject_targets.h"

#include <stdio.h>

static GType types[64];

static GType interface_type(void)
{
    static GType type;
    if (type == 0)
        type = g_type_register_static_simple(G_TYPE_INTERFACE, "BenchInterface",
                                             sizeof(gthing_interface), NULL, 0,
                                             NULL, 0);
    return type;
}

static void init_class(gpointer cls, gpointer data)
{
    ((gthing_class *)cls)->get = gthing_targets[GPOINTER_TO_UINT(data)];
}

static void init_interface(gpointer interface, gpointer data)
{
    ((gthing_interface *)interface)->get =
        gthing_targets[GPOINTER_TO_UINT(data)];
}

static GType make_type(unsigned cls)
{
    const GTypeInfo info = {.class_size = sizeof(gthing_class),
                            .class_init = init_class,
                            .class_data = GUINT_TO_POINTER(cls),
                            .instance_size = sizeof(gthing)};
    const GInterfaceInfo implemented = {init_interface, NULL,
                                        GUINT_TO_POINTER(cls)};
    char name[32];
    snprintf(name, sizeof name, "BenchThing%u", cls);
    const GType type = g_type_register_static(G_TYPE_OBJECT, name, &info, 0);
    g_type_add_interface_static(type, interface_type(), &implemented);
    return type;
}

/* GObject places its objects itself. */
static void *make(void *at, unsigned cls, int value)
{
    (void)at;
    if (types[cls] == 0)
        types[cls] = make_type(cls);
    gthing *const object = g_object_new(types[cls], NULL);
    object->value = value;
    return object;
}

static inline int by_class(gthing *object)
{
    return G_TYPE_INSTANCE_GET_CLASS(object, 0, gthing_class)->get(object);
}

static inline int by_interface(gthing *object, GType interface)
{
    return G_TYPE_INSTANCE_GET_INTERFACE(object, interface, gthing_interface)
        ->get(object);
}

BENCH_LOOPS(class, gpointer, by_class(item));
BENCH_LOOPS(interface, gpointer, by_interface(item, interface_type()));

const bench_peer bench_gobject_class = {"GObject, class structure", 8, 0, make,
                                        class_loops};
const bench_peer bench_gobject_interface = {"GObject, interface", 8, 0, make,
                                            interface_loops};

const char *bench_gobject_version(void)
{
    static char version[32];
    snprintf(version, sizeof version, "%u.%u.%u", glib_major_version,
             glib_minor_version, glib_micro_version);
    return version;
}
#else
const bench_peer bench_gobject_class = {0};
const bench_peer bench_gobject_interface = {0};

const char *bench_gobject_version(void)
{
    return "none";
}
#endif
