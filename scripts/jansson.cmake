# The library that reads JSON. Its header is needed to build, the library itself only when a user
# asks for the format: it is loaded then, by the name found here.
option(SOCKCAT_JSON "Frames as JSON objects (libjansson), if its header is there" ON)

set(sockcat_jansson "NO  (SOCKCAT_JSON is off)")
if(SOCKCAT_JSON)
    find_path(SOCKCAT_JANSSON_INCLUDE jansson.h)
    find_library(SOCKCAT_JANSSON_LIBRARY jansson)
    mark_as_advanced(SOCKCAT_JANSSON_INCLUDE SOCKCAT_JANSSON_LIBRARY)
    set(sockcat_jansson "NO  (jansson.h or the library was not found)")
    if(SOCKCAT_JANSSON_INCLUDE AND SOCKCAT_JANSSON_LIBRARY)
        # libjansson.so is a name for building only; what to load says the library itself.
        set(sockcat_soname "libjansson.so.4")
        if(CMAKE_READELF)
            execute_process(COMMAND "${CMAKE_READELF}" -d "${SOCKCAT_JANSSON_LIBRARY}"
                OUTPUT_VARIABLE sockcat_dynamic ERROR_QUIET)
            if(sockcat_dynamic MATCHES "SONAME[^[]*\\[([^]]+)\\]")
                set(sockcat_soname "${CMAKE_MATCH_1}")
            endif()
        endif()
        set_property(SOURCE frame/json.c APPEND PROPERTY
            COMPILE_DEFINITIONS "SOCKCAT_JANSSON=\"${sockcat_soname}\"")
        set_property(SOURCE frame/json.c APPEND PROPERTY
            INCLUDE_DIRECTORIES "${SOCKCAT_JANSSON_INCLUDE}")
        set(sockcat_jansson "yes (${sockcat_soname}, loaded when it is needed)")
    endif()
endif()
message(STATUS "JSON: ${sockcat_jansson}")
