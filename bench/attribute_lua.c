/* attribute_lua.c - Lua, embedded: classes are tables, each the __index of the
 * next one's metatable. y lies at the bottom of the stack; above it the names
 * that are asked for, as strings of Lua's. */
#include "attribute_peers.h"

#ifdef BENCH_HAVE_LUA
#include <lauxlib.h>
#include <lua.h>

#include <stdlib.h>

static lua_State *lua;

static inline uint64_t pop(int type)
{
    lua_settop(lua, -2);
    return type != LUA_TNIL;
}
BENCH_LOOPS(field, char *const, pop(lua_getfield(lua, 1, item)));

static inline int get_by_value(int place)
{
    lua_pushvalue(lua, place);
    return lua_gettable(lua, 1);
}
BENCH_LOOPS(table, int, pop(get_by_value(item)));

static int method(lua_State *state)
{
    lua_pushinteger(state, 1);
    return 1;
}

/* A table with these names, on the stack. */
static void push_class(const char *const *names, size_t count, int methods)
{
    lua_createtable(lua, 0, 0);
    for (size_t i = 0; i < count; i++) {
        if (methods)
            lua_pushcfunction(lua, method);
        else
            lua_pushinteger(lua, 1);
        lua_setfield(lua, -2, names[i]);
    }
}

/* Pops a class and gives it to the table below as what that derives from. */
static void derive(void)
{
    lua_createtable(lua, 0, 1);
    lua_insert(lua, -2);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, -2);
}

static int open_lua(const attribute_program *p)
{
    lua = luaL_newstate();
    if (lua == NULL)
        return 0;
    lua_createtable(lua, 0, 0);
    push_class(p->of_y, p->of_y_count, 0);
    push_class(p->of_x, p->of_x_count, p->methods);
    derive();
    derive();
    return 1;
}

static void close_lua(void)
{
    lua_close(lua);
}

static void *texts(const char *const *names, size_t name_count, size_t count)
{
    const char **const made = calloc(count, sizeof *made);
    for (size_t i = 0; made && i < count; i++)
        made[i] = names[i % name_count];
    return made;
}

static void *places(const char *const *names, size_t name_count, size_t count)
{
    const int first = lua_gettop(lua) + 1;
    int *const made = lua_checkstack(lua, (int)name_count + 20)
                          ? calloc(count, sizeof *made)
                          : NULL;
    for (size_t i = 0; made && i < name_count; i++)
        lua_pushstring(lua, names[i]);
    for (size_t i = 0; made && i < count; i++)
        made[i] = first + (int)(i % name_count);
    return made;
}

const attribute_language bench_lua = {
    "Lua", LUA_VERSION_MAJOR "." LUA_VERSION_MINOR "." LUA_VERSION_RELEASE,
    open_lua, close_lua};
const attribute_peer bench_lua_field = {&bench_lua, "Lua, lua_getfield", texts,
                                        field_loops};
const attribute_peer bench_lua_table = {&bench_lua, "Lua, lua_gettable", places,
                                        table_loops};

#else

const attribute_language bench_lua = {"Lua", "none", NULL, NULL};
const attribute_peer bench_lua_field = {&bench_lua, "Lua", NULL, NULL};
const attribute_peer bench_lua_table = {&bench_lua, "Lua", NULL, NULL};
#endif
