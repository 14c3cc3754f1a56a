"""The end of the interpreter: late calls, daemon threads, half-gone modules."""

from support import output_of, run_child


def test_a_call_at_exit_works() -> None:
    printed = output_of(
        """
        import atexit
        from latebind import dispatch
        @dispatch
        def f(x: int): return "int"
        @dispatch
        def f(x: object): return "object"
        atexit.register(lambda: print(f(1), f("a")))
        """
    )
    assert printed.split() == ["int", "object"]


def test_an_object_that_dies_at_shutdown_may_call() -> None:
    printed = output_of(
        """
        import sys
        from latebind import dispatch
        class Base: ...
        @dispatch
        def f(x: Base): return "Base"
        class Dying(Base):
            @dispatch
            def m(self, x: int): return "int"
            def __del__(self, f=f, write=sys.stdout.write, flush=sys.stdout.flush):
                write(f(self) + " " + self.m(1) + "\\n")
                flush()
        kept = Dying()
        cycle = Dying()
        cycle.itself = cycle
        """
    )
    assert printed.split() == ["Base", "int"] * 2


def test_a_definition_at_exit_works() -> None:
    printed = output_of(
        """
        import atexit
        from latebind import generic
        @generic
        def f(x): ...
        @atexit.register
        def late():
            f.register(int, lambda x: "int")
            print(f(1))
        """
    )
    assert printed == "int\n"


def test_a_function_in_builtins_and_in_a_type_outlives_its_module() -> None:
    done = run_child(
        """
        import builtins, sys
        import latebind
        @latebind.dispatch
        def f(x: int): return "int"
        builtins.f = f
        sys.f = f
        class C: m = f
        sys.C = C
        del sys.modules["latebind"], sys.modules["latebind._core"]
        del latebind
        import gc; gc.collect()
        print(f(1))
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "int\n", "")


def test_a_daemon_thread_that_calls_is_no_obstacle() -> None:
    for _ in range(5):
        done = run_child(
            """
            import threading, time
            from latebind import dispatch
            @dispatch
            def f(x: int): return "int"
            @dispatch
            def f(x: object): return "object"
            def forever():
                while True:
                    f(1); f(type("T", (), {})())
                    f.register(str, lambda x: "str")
            for _ in range(3):
                threading.Thread(target=forever, daemon=True).start()
            time.sleep(0.05)
            """
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_sys_exit_inside_a_method_ends_the_program() -> None:
    done = run_child(
        """
        import sys
        from latebind import dispatch
        @dispatch
        def f(x: int): sys.exit(x)
        @dispatch
        def f(x: bool, *, next_method): next_method(7)
        f(True)
        """
    )
    assert (done.returncode, done.stderr) == (7, "")


def test_an_interrupt_reaches_the_program() -> None:
    done = run_child(
        """
        import signal
        from latebind import dispatch
        # What was started in the background is born deaf to it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        @dispatch
        def f(x: int):
            signal.raise_signal(signal.SIGINT)
        try:
            f(1)
        except KeyboardInterrupt:
            print("interrupted")
        """
    )
    assert done.stdout == "interrupted\n", done.stderr


def test_warnings_of_resources_and_development_mode_stay_quiet() -> None:
    printed = output_of(
        """
        import subprocess, sys
        code = '''
        from latebind import dispatch
        @dispatch
        def f(x: int): return "int"
        print(f(1))
        '''
        import textwrap
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(code)],
            capture_output=True, text=True)
        print(done.stdout, done.stderr, done.returncode)
        """
    )
    assert printed.split() == ["int", "0"]


def test_importing_starts_no_thread_and_loads_little() -> None:
    printed = output_of(
        """
        import sys, threading
        before = set(sys.modules)
        import latebind
        print(len(set(sys.modules) - before), threading.active_count())
        """
    )
    added, threads = map(int, printed.split())
    assert added <= 20
    assert threads == 1
