/** The folder that must be on PYTHONPATH to `import socketio`. @throws Error that says how to get one. */
export declare function obtainPythonSocketio(): Promise<string>;
